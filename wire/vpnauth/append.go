package vpnauth

import (
	"bytes"
	"encoding/xml"
)

const declaration = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// Append adds the document to b, in one line after the XML declaration: openconnect's order of
// elements, so that what it sends comes out again byte for byte.
func (d Document) Append(b []byte) []byte {
	w := writer{b: append(b, declaration...)}
	w.open("config-auth", "client", "vpn", "type", string(d.Type), "aggregate-auth-version?", d.AggregateAuth)
	if d.Version != "" || d.From != "" {
		w.leaf("version", d.Version, "who", d.From)
	}
	d.appendClient(&w)
	w.b = append(w.b, d.Opaque...)
	w.optional("session-id", d.SessionID)
	w.optional("session-token", d.SessionToken.Reveal())
	if d.Auth != nil {
		d.Auth.append(&w, d.Type)
	}
	w.optional("group-access", d.GroupAccess)
	w.optional("group-select", d.GroupSelect)
	w.mark("client-cert-fail", d.CertFail)
	w.mark("client-cert-request", d.CertRequest)
	w.mark("cert-authenticated", d.CertAccepted)
	if d.CertHash != "" {
		w.open("config", "client", "vpn", "type", "private")
		w.open("vpn-base-config")
		w.leaf("server-cert-hash", d.CertHash)
		w.close("vpn-base-config")
		w.close("config")
	}
	for _, raw := range d.Extra {
		w.b = append(w.b, raw...)
	}
	w.close("config-auth")
	return w.b
}

func (d Document) appendClient(w *writer) {
	if d.Device != (Device{}) {
		w.leaf("device-id", d.Device.ID, "device-type?", d.Device.Kind,
			"platform-version?", d.Device.Platform, "unique-id?", d.Device.Unique)
	}
	if len(d.Capabilities) == 0 {
		return
	}
	w.open("capabilities")
	for _, c := range d.Capabilities {
		w.leaf("auth-method", c)
	}
	w.close("capabilities")
}

func (a *Auth) append(w *writer, of Type) {
	w.open("auth", "id?", a.ID)
	if of == AuthReply {
		for _, v := range a.Values {
			w.leaf(v.Name, v.Text.Reveal())
		}
		w.close("auth")
		return
	}
	w.optional("title", a.Title)
	w.optional("message", a.Message)
	w.optional("banner", a.Banner)
	if a.Error != nil {
		w.leaf("error", a.Error.Text, "id", a.Error.ID, "param1", a.Error.Param1, "param2", a.Error.Param2)
	}
	if a.Form != nil {
		a.Form.append(w)
	}
	w.close("auth")
}

func (f *Form) append(w *writer) {
	w.open("form", "method?", f.Method, "action?", f.Action)
	for _, in := range f.Inputs {
		if in.Type != Select {
			w.open("input", "type", in.Type, "name", in.Name, "second-auth?", when(in.Second, "1"), "label?", in.Label, "value?", in.Value)
			w.close("input")
			continue
		}
		w.open("select", "name", in.Name, "label?", in.Label)
		for _, o := range in.Options {
			w.leaf("option", o.Text, "value", o.Value, "selected?", when(o.Selected, "true"),
				"noaaa?", when(o.NoAAA, "1"), "second-auth?", when(o.Second, "1"))
		}
		w.close("select")
	}
	w.close("form")
}

func when(said bool, word string) string {
	if said {
		return word
	}
	return ""
}

// writer adds XML to a slice.
type writer struct{ b []byte }

// open writes a start tag. attrs are names and values in turn; a name that ends in "?" is left out when
// its value is empty.
func (w *writer) open(name string, attrs ...string) {
	w.b = append(append(w.b, '<'), name...)
	for i := 0; i < len(attrs); i += 2 {
		key, value := attrs[i], attrs[i+1]
		if key[len(key)-1] == '?' {
			if value == "" {
				continue
			}
			key = key[:len(key)-1]
		}
		w.b = append(append(append(w.b, ' '), key...), '=', '"')
		w.text(value)
		w.b = append(w.b, '"')
	}
	w.b = append(w.b, '>')
}

func (w *writer) close(name string) { w.b = append(append(append(w.b, '<', '/'), name...), '>') }

func (w *writer) leaf(name, text string, attrs ...string) {
	w.open(name, attrs...)
	w.text(text)
	w.close(name)
}

// mark is an empty element that says something by being there.
func (w *writer) mark(name string, there bool) {
	if there {
		w.open(name)
		w.close(name)
	}
}

func (w *writer) optional(name, text string) {
	if text != "" {
		w.leaf(name, text)
	}
}

func (w *writer) text(s string) {
	var escaped bytes.Buffer
	_ = xml.EscapeText(&escaped, []byte(s)) // a bytes.Buffer takes everything
	w.b = append(w.b, escaped.Bytes()...)
}
