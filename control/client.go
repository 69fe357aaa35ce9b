package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/inventory/file"
)

var (
	// ErrUnreachable: nobody answers on the socket. Start the system, or name another configuration file.
	ErrUnreachable = errors.New("the running system cannot be reached")
	// ErrForbidden: the socket is there, and not for us. Become its owner or join its group.
	ErrForbidden = errors.New("no right to speak to the running system")
)

// Client speaks to a Server. Its methods return *Refusal for what the server refuses.
type Client struct {
	socket string
	http   http.Client
}

// NewClient returns a client of the server on a socket. It connects when it is used.
func NewClient(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	return &Client{socket, http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// Status returns the running system at a glance.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return get[Status](ctx, c, "/status", nil)
}

// Findings returns what is wrong now, in story order.
func (c *Client) Findings(ctx context.Context) ([]finding.Standing, error) {
	all, err := get[FindingList](ctx, c, "/findings", nil)
	return all.Findings, err
}

// Phones returns every phone with what it does now.
func (c *Client) Phones(ctx context.Context) ([]Phone, error) {
	all, err := get[Phones](ctx, c, "/phones", nil)
	return all.Phones, err
}

// Phone returns one phone with what it does now.
func (c *Client) Phone(ctx context.Context, name string) (Phone, error) {
	return get[Phone](ctx, c, "/phones/"+url.PathEscape(name), nil)
}

// Invite makes a one-time link for a phone that was never inside.
func (c *Client) Invite(ctx context.Context, device string, good time.Duration) (FreshInvitation, error) {
	request, err := json.Marshal(map[string]any{"seconds": int(good / time.Second)})
	if err != nil {
		return FreshInvitation{}, err
	}
	return do[FreshInvitation](ctx, c, http.MethodPost, "/phones/"+url.PathEscape(device)+"/invitations", nil, "application/json", request)
}

// Invitations returns the links that can still be used or were lately, oldest first.
func (c *Client) Invitations(ctx context.Context) ([]Invitation, error) {
	all, err := get[InvitationList](ctx, c, "/invitations", nil)
	return all.Invitations, err
}

// Revoke takes back an invitation by its id, or all of a phone, and returns how many there were.
func (c *Client) Revoke(ctx context.Context, which string) (int, error) {
	gone, err := do[Revoked](ctx, c, http.MethodDelete, "/invitations/"+url.PathEscape(which), nil, "", nil)
	return gone.Revoked, err
}

// Sessions returns the gateway's sessions, oldest first.
func (c *Client) Sessions(ctx context.Context) ([]Session, error) {
	all, err := get[SessionList](ctx, c, "/sessions", nil)
	return all.Sessions, err
}

// SessionTotals returns how many sessions there are and were.
func (c *Client) SessionTotals(ctx context.Context) (Totals, error) {
	return get[Totals](ctx, c, "/sessions/totals", nil)
}

// AccessLists returns the access lists that sessions were held to, by name.
func (c *Client) AccessLists(ctx context.Context) ([]AccessList, error) {
	all, err := get[AccessListList](ctx, c, "/access-lists", nil)
	return all.AccessLists, err
}

// Logoff logs sessions off and returns how many there were.
func (c *Client) Logoff(ctx context.Context, ids []uint64, how Logoff) (int, error) {
	request, err := json.Marshal(map[string]any{"ids": ids, "how": how})
	if err != nil {
		return 0, err
	}
	ended, err := do[LoggedOff](ctx, c, http.MethodPost, "/sessions/logoff", nil, "application/json", request)
	return ended.Ended, err
}

// Capture returns what goes through a session's tunnel as pcapng, until ctx or the session ends.
func (c *Client) Capture(ctx context.Context, id uint64) (io.ReadCloser, error) {
	response, err := c.send(ctx, http.MethodGet, fmt.Sprintf("/sessions/%d/capture", id), nil, "", nil)
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}

// Objects returns objects of the inventory as their keys in files: all, those of a kind, or one.
func (c *Client) Objects(ctx context.Context, kind inventory.Kind, name string) ([]map[string]any, error) {
	all, err := get[Objects](ctx, c, "/inventory", query(kind, name))
	return all.Objects, err
}

// Export returns objects of the inventory as a file that Apply takes back.
func (c *Client) Export(ctx context.Context, kind inventory.Kind, name string, secrets bool) ([]byte, error) {
	values := query(kind, name)
	values.Set("secrets", strconv.FormatBool(secrets))
	return c.exchange(ctx, http.MethodGet, "/inventory/file", values, "", nil)
}

// Set returns the inventory in force, without secrets.
func (c *Client) Set(ctx context.Context) (*inventory.Set, error) {
	text, err := c.Export(ctx, "", "", false)
	if err != nil {
		return nil, err
	}
	f, err := file.Parse("inventory", text, file.NoFiles)
	if err != nil {
		return nil, err
	}
	set := inventory.NewSet()
	for _, o := range f.Objects {
		if err := set.Add(o); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// Apply creates and changes objects, all or nothing. Phones whose file changes are told.
func (c *Client) Apply(ctx context.Context, objects []inventory.Object, o catalog.Options, expect Expectation) (catalog.Changes, error) {
	applied, err := c.ApplyAndPush(ctx, objects, o, expect, true)
	return applied.Changes, err
}

// ApplyAndPush is Apply, and says which phones have another file now. They are told if push says so.
func (c *Client) ApplyAndPush(ctx context.Context, objects []inventory.Object, o catalog.Options, expect Expectation, push bool) (Applied, error) {
	text, err := file.Encode(objects, true)
	if err != nil {
		return Applied{}, err
	}
	values := url.Values{"prune": {strconv.FormatBool(o.Prune)}, "dry_run": {strconv.FormatBool(o.DryRun)}, "force": {strconv.FormatBool(o.Force)}, "no_push": {strconv.FormatBool(!push)}}
	if expect != ExpectAny {
		values.Set("expect", string(expect))
	}
	return do[Applied](ctx, c, http.MethodPost, "/inventory", values, "application/yaml", text)
}

// Tell has phones told what to do, or all of them when none is named, and returns how that stands at once.
func (c *Client) Tell(ctx context.Context, phones []string, action PhoneAction) ([]Telling, error) {
	request, err := json.Marshal(map[string]any{"phones": phones, "all": len(phones) == 0, "action": action})
	if err != nil {
		return nil, err
	}
	told, err := do[TellingList](ctx, c, http.MethodPost, "/tellings", nil, "application/json", request)
	return told.Tellings, err
}

// Tellings returns what phones were told last.
func (c *Client) Tellings(ctx context.Context) ([]Telling, error) {
	told, err := get[TellingList](ctx, c, "/tellings", nil)
	return told.Tellings, err
}

// Delete deletes objects, all or nothing.
func (c *Client) Delete(ctx context.Context, objects []catalog.Ref, dryRun bool) (Applied, error) {
	values := url.Values{"dry_run": {strconv.FormatBool(dryRun)}}
	for _, r := range objects {
		values.Add("object", string(r.Kind)+"/"+r.Name)
	}
	return do[Applied](ctx, c, http.MethodDelete, "/inventory", values, "", nil)
}

func query(kind inventory.Kind, name string) url.Values {
	values := url.Values{}
	if kind != "" {
		values.Set("kind", string(kind))
	}
	if name != "" {
		values.Set("name", name)
	}
	return values
}

func get[T any](ctx context.Context, c *Client, path string, values url.Values) (T, error) {
	return do[T](ctx, c, http.MethodGet, path, values, "", nil)
}

func do[T any](ctx context.Context, c *Client, method, path string, values url.Values, contentType string, request []byte) (T, error) {
	var answer T
	text, err := c.exchange(ctx, method, path, values, contentType, request)
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	return answer, err
}

// exchange sends one request and returns the body of a good answer.
func (c *Client) exchange(ctx context.Context, method, path string, values url.Values, contentType string, request []byte) ([]byte, error) {
	response, err := c.send(ctx, method, path, values, contentType, request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// send sends one request and returns a good answer, whose body the caller closes.
func (c *Client) send(ctx context.Context, method, path string, values url.Values, contentType string, request []byte) (*http.Response, error) {
	target := url.URL{Scheme: "http", Host: "longcord", Path: "/api/v1", RawQuery: values.Encode()}
	r, err := http.NewRequestWithContext(ctx, method, target.JoinPath(path).String(), bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if response.StatusCode < http.StatusMultipleChoices {
		return response, nil
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	return nil, answered(response.StatusCode, text)
}

func (c *Client) unreachable(err error) error {
	var dialing *net.OpError
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w on %s", ErrForbidden, c.socket)
	case errors.As(err, &dialing) && dialing.Op == "dial":
		return fmt.Errorf("%w on %s: %w", ErrUnreachable, c.socket, dialing.Err)
	}
	return err
}

// answered reads an answer that is not good. What huma itself refuses comes with errors in place of
// problems: it is a request that no client of ours should make.
func answered(status int, text []byte) error {
	var answer struct {
		Refusal
		Errors []struct {
			Message  string `json:"message"`
			Location string `json:"location"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.Detail == "" {
		return &Refusal{Status: status, Title: http.StatusText(status), Detail: fmt.Sprintf("answered %d %s", status, http.StatusText(status))}
	}
	for _, e := range answer.Errors {
		answer.Detail += fmt.Sprintf(": %s %s", e.Location, e.Message)
	}
	return &answer.Refusal
}
