package control

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Live is what a phone's own web pages show now. What they do not show is empty.
type Live struct {
	Address           string        `json:"address" doc:"where it was asked"`
	At                time.Time     `json:"at"`
	Model             string        `json:"model,omitempty"`
	Load              string        `json:"load,omitempty"`
	SerialNumber      string        `json:"serial_number,omitempty"`
	MAC               string        `json:"mac,omitempty"`
	HostName          string        `json:"host_name,omitempty"`
	Number            string        `json:"number,omitempty"`
	IPAddress         string        `json:"ip_address,omitempty" doc:"of the tunnel, while it is in one"`
	TFTPServers       []string      `json:"tftp_servers" doc:"TFTP Server 1 and 2, as far as they are set"`
	AlternateTFTP     string        `json:"alternate_tftp,omitempty" doc:"Yes: it takes its TFTP servers from its own menu, not from DHCP"`
	CallManagers      []LiveManager `json:"call_managers"`
	CTL               string        `json:"ctl,omitempty"`
	ITL               string        `json:"itl,omitempty"`
	ITLSignature      string        `json:"itl_signature,omitempty"`
	SecurityMode      string        `json:"security_mode,omitempty"`
	WebAccess         string        `json:"web_access,omitempty"`
	AuthenticationURL string        `json:"authentication_url,omitempty"`
	Status            []string      `json:"status" doc:"its status messages, as it orders them"`
	Pages             []LivePage    `json:"pages,omitempty" doc:"as they came, when asked for"`
}

// LiveManager is a call manager of a phone's list.
type LiveManager struct {
	Host  string `json:"host"`
	State string `json:"state,omitempty" doc:"Active, Standby or nothing"`
}

// LivePage is a page as it came.
type LivePage struct {
	Page string `json:"page"`
	Path string `json:"path"`
	Body string `json:"body"`
}

type liveInput struct {
	Name string `path:"name"`
	Raw  bool   `query:"raw" doc:"with the pages as they came"`
}

func (s *Server) registerLive(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "show-live-phone", Method: http.MethodGet, Path: "/phones/{name}/live", Summary: "What a phone's own web pages show now",
	}, func(ctx context.Context, in *liveInput) (*body[Live], error) {
		if s.config.Catalog.Current().Devices[in.Name] == nil {
			return nil, refuse(http.StatusNotFound, "there is no Device %q", in.Name)
		}
		if s.config.Live == nil {
			return nil, refuse(http.StatusConflict, "nobody here reads phones' pages")
		}
		live, err := s.config.Live(ctx, in.Name)
		if err != nil {
			return nil, err
		}
		if !in.Raw {
			live.Pages = nil
		}
		return &body[Live]{live}, nil
	})
}

// Live returns what a phone's own web pages show now, with the pages themselves if raw says so.
func (c *Client) Live(ctx context.Context, phone string, raw bool) (Live, error) {
	return get[Live](ctx, c, "/phones/"+url.PathEscape(phone)+"/live", url.Values{"raw": {strconv.FormatBool(raw)}})
}
