package phoneweb

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ExecutePath is where a phone takes orders: POST, with the order in the form field XML.
const ExecutePath = "/CGI/Execute"

// Limits of an order.
const (
	MaxExecute      = 512 // bytes of the XML
	MaxExecuteItems = 3
)

// ExecuteItem is one thing that a phone is to do.
type ExecuteItem struct {
	URL      string `xml:"URL,attr"`                // Key:Settings, Dial:1001, http://…
	Priority int    `xml:"Priority,attr,omitempty"` // 0 now, 1 when idle, 2 only if idle
}

// ExecuteResult is what became of an item.
type ExecuteResult struct {
	Item   ExecuteItem
	Status int // 0: done
	Data   string
}

// ExecuteNumber says why a phone does nothing.
type ExecuteNumber int

// The numbers of CiscoIPPhoneError.
const (
	ExecuteParse   ExecuteNumber = 1 // the XML cannot be read
	ExecuteFraming ExecuteNumber = 2 // the answer would be too large
	ExecuteFile    ExecuteNumber = 3 // a file is missing
	ExecuteDenied  ExecuteNumber = 4 // the user may not
)

// Error says what the number means.
func (n ExecuteNumber) Error() string {
	words := map[ExecuteNumber]string{
		ExecuteParse: "it cannot read the order", ExecuteFraming: "it cannot frame the answer",
		ExecuteFile: "it lacks a file", ExecuteDenied: "its authentication URL does not authorize this user",
	}
	if text, ok := words[n]; ok {
		return "the phone refuses: " + text
	}
	return fmt.Sprintf("the phone refuses: error %d", int(n))
}

// AppendExecute appends an order. Phones take no more than MaxExecute bytes and MaxExecuteItems items.
func AppendExecute(b []byte, items ...ExecuteItem) ([]byte, error) {
	if len(items) == 0 || len(items) > MaxExecuteItems {
		return b, fmt.Errorf("phoneweb: %d items; an order has one to %d", len(items), MaxExecuteItems)
	}
	var order strings.Builder
	order.WriteString("<CiscoIPPhoneExecute>")
	for _, item := range items {
		order.WriteString(`<ExecuteItem Priority="` + fmt.Sprint(item.Priority) + `" URL="`)
		_ = xml.EscapeText(&order, []byte(item.URL)) // a Builder does not fail
		order.WriteString(`"/>`)
	}
	order.WriteString("</CiscoIPPhoneExecute>")
	if order.Len() > MaxExecute {
		return b, fmt.Errorf("phoneweb: order of %d bytes exceeds %d", order.Len(), MaxExecute)
	}
	return append(b, order.String()...), nil
}

// ParseExecute reads an order.
func ParseExecute(order []byte) ([]ExecuteItem, error) {
	var read struct {
		XMLName xml.Name      `xml:"CiscoIPPhoneExecute"`
		Items   []ExecuteItem `xml:"ExecuteItem"`
	}
	if len(order) > MaxExecute {
		return nil, fmt.Errorf("phoneweb: order of %d bytes exceeds %d", len(order), MaxExecute)
	}
	if err := whole(order, &read); err != nil {
		return nil, fmt.Errorf("phoneweb: order: %w", err)
	}
	if len(read.Items) == 0 || len(read.Items) > MaxExecuteItems {
		return nil, fmt.Errorf("phoneweb: %d items; an order has one to %d", len(read.Items), MaxExecuteItems)
	}
	return read.Items, nil
}

// whole decodes one document with nothing behind it.
func whole(document []byte, into any) error {
	decoder := xml.NewDecoder(bytes.NewReader(document))
	decoder.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	if err := decoder.Decode(into); err != nil {
		return err
	}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if text, ok := token.(xml.CharData); err != nil || !ok || len(bytes.TrimSpace(text)) > 0 {
			return errors.New("something follows the document")
		}
	}
}

type responseItem struct {
	Status int    `xml:"Status,attr"`
	Data   string `xml:"Data,attr"`
	URL    string `xml:"URL,attr"`
}

// AppendExecuteResponse appends what a phone answers to an order that it has taken.
func AppendExecuteResponse(b []byte, results []ExecuteResult) []byte {
	var answer struct {
		XMLName xml.Name       `xml:"CiscoIPPhoneResponse"`
		Items   []responseItem `xml:"ResponseItem"`
	}
	for _, r := range results {
		answer.Items = append(answer.Items, responseItem{r.Status, r.Data, r.Item.URL})
	}
	text, _ := xml.Marshal(answer) // numbers and text always marshal
	return append(append(b, xml.Header...), text...)
}

// ExecuteError returns what a phone answers to an order that it has not taken.
func ExecuteError(number ExecuteNumber) []byte {
	return []byte(xml.Header + fmt.Sprintf(`<CiscoIPPhoneError Number="%d"/>`, int(number)))
}

// ParseExecuteResponse reads a phone's answer. An ExecuteNumber is the error of a phone that has not taken the
// order.
func ParseExecuteResponse(answer []byte) ([]ExecuteResult, error) {
	var failed struct {
		XMLName xml.Name `xml:"CiscoIPPhoneError"`
		Number  int      `xml:"Number,attr"`
	}
	var read struct {
		XMLName xml.Name       `xml:"CiscoIPPhoneResponse"`
		Items   []responseItem `xml:"ResponseItem"`
	}
	if len(answer) > MaxPage {
		return nil, fmt.Errorf("phoneweb: answer of %d bytes exceeds %d", len(answer), MaxPage)
	}
	if whole(answer, &failed) == nil {
		return nil, ExecuteNumber(failed.Number)
	}
	if err := whole(answer, &read); err != nil {
		return nil, fmt.Errorf("phoneweb: answer: %w", err)
	}
	var results []ExecuteResult
	for _, item := range read.Items {
		results = append(results, ExecuteResult{ExecuteItem{URL: item.URL}, item.Status, item.Data})
	}
	return results, nil
}
