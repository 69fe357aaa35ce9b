package phonexml

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func number(n Number) *Number { return &n }

func TestDocuments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, xml string
		want      Document
		line      string
	}{
		{"dial template", `<dialTemplate><versionStamp>s</versionStamp><TEMPLATE match="3.." timeout="1" /><TEMPLATE match="" timeout="0" rewrite="390" line="2" tone="Bellcore-Outside"/></dialTemplate>`,
			&DialTemplate{VersionStamp: "s", Patterns: []DialPattern{{Match: "3..", Timeout: 1}, {Rewrite: "390", Line: number(2), Tone: "Bellcore-Outside"}}},
			`dial template stamp "s", 2 patterns`},
		{"soft keys", `<softKeyCfg><typeSoftKey><softKeyDef keyID="&lt;&lt;"><tag>8</tag><eventID>8</eventID><helpID>308</helpID></softKeyDef></typeSoftKey><softKeySets><softKeySet id="On Hook"><softKey keyID="Redial" /></softKeySet></softKeySets></softKeyCfg>`,
			&SoftKeys{Keys: []SoftKey{{ID: "<<", Tag: 8, Event: 8, Help: 308}}, Sets: []SoftKeySet{{State: "On Hook", Keys: []SoftKeyRef{{ID: "Redial"}}}}},
			`soft keys stamp "", 1 keys in 1 states`},
		{"feature policy", `<featurePolicy name="P"><featureDef name="Park"><id>2</id><enable>true</enable></featureDef><featureDef name="Barge"><id>8</id><enable>0</enable></featureDef></featurePolicy>`,
			&FeaturePolicy{Name: "P", Features: []Feature{{Name: "Park", ID: 2, Enable: true}, {Name: "Barge", ID: 8}}},
			`feature policy "P" stamp "", 2 features`},
		{"rings", `<CiscoIPPhoneRingList><Ring><DisplayName>Old Telephone</DisplayName><FileName>Old.raw</FileName></Ring></CiscoIPPhoneRingList>`,
			&RingList{Rings: []Ring{{DisplayName: "Old Telephone", FileName: "Old.raw"}}}, "ring list, 1 rings"},
		{"images", `<CiscoIPPhoneImageList><ImageItem Image="TFTP:Desktops/800x480x24/s.png" URL="TFTP:Desktops/800x480x24/l.png" /></CiscoIPPhoneImageList>`,
			&ImageList{Images: []Image{{Preview: "TFTP:Desktops/800x480x24/s.png", URL: "TFTP:Desktops/800x480x24/l.png"}}}, "image list, 1 images"},
		{"menu", `<CiscoIPPhoneMenu><Title>T</Title><Prompt>P</Prompt><MenuItem><Name>N</Name><URL>http://x/?a=1&amp;b=2</URL></MenuItem><SoftKeyItem><Name>Exit</Name><URL>SoftKey:Exit</URL><Position>3</Position></SoftKeyItem></CiscoIPPhoneMenu>`,
			&Menu{Page: Page{Title: "T", Prompt: "P", SoftKeys: []ServiceKey{{Name: "Exit", URL: "SoftKey:Exit", Position: 3}}}, Items: []MenuItem{{Name: "N", URL: "http://x/?a=1&b=2"}}},
			`menu "T", 1 items`},
		{"text", `<CiscoIPPhoneText><Title>T</Title><Text>hello</Text></CiscoIPPhoneText>`, &Text{Page: Page{Title: "T"}, Text: "hello"}, `text "T", 5 bytes`},
		{"directory", `<CiscoIPPhoneDirectory><DirectoryEntry><Name>Zoë</Name><Telephone>1001</Telephone></DirectoryEntry></CiscoIPPhoneDirectory>`,
			&Directory{Entries: []DirectoryEntry{{Name: "Zoë", Telephone: "1001"}}}, `directory "", 1 entries`},
		{"input", `<CiscoIPPhoneInput><URL>http://x/</URL><InputItem><DisplayName>D</DisplayName><QueryStringParam>q</QueryStringParam><InputFlags>AP</InputFlags></InputItem></CiscoIPPhoneInput>`,
			&Input{URL: "http://x/", Items: []InputItem{{DisplayName: "D", Parameter: "q", Flags: "AP"}}}, `form "", 1 fields`},
		{"execute", `<CiscoIPPhoneExecute><ExecuteItem Priority="0" URL="Key:Services" /></CiscoIPPhoneExecute>`,
			&Execute{Items: []ExecuteItem{{URL: "Key:Services", Priority: number(0)}}}, "execute, 1 items"},
		{"error", `<CiscoIPPhoneError Number="4" />`, &Failure{Number: 4}, "error 4"},
	} {
		got, err := Parse([]byte(c.xml))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !reflect.DeepEqual(got, c.want) || got.String() != c.line {
			t.Errorf("%s: got %#v (%s), want %#v (%s)", c.name, got, got, c.want, c.line)
		}
		again(t, c.name, got)
	}
}

// again writes a document and reads it back.
func again(t *testing.T, name string, want Document) {
	t.Helper()
	written, err := Bytes(want)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	got, err := Parse(written)
	if err != nil {
		t.Fatalf("%s: what Bytes wrote is refused: %v\n%s", name, err, written)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s: read %#v, then %#v\n%s", name, want, got, written)
	}
}

func TestUnknownPartsSurvive(t *testing.T) {
	t.Parallel()
	document, err := Parse([]byte(`<dialTemplate made="by hand"><TEMPLATE match="1" timeout="2" User="Phone"/><other a="b"><c>d &amp; e</c></other></dialTemplate>`))
	if err != nil {
		t.Fatal(err)
	}
	document.(*DialTemplate).Patterns[0].Timeout = 5
	written, err := Bytes(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`made="by hand"`, `User="Phone"`, `timeout="5"`, `<other a="b"><c>d &amp; e</c></other>`} {
		if !strings.Contains(string(written), part) {
			t.Errorf("written without %s:\n%s", part, written)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, xml, want string }{
		{"nothing", " ", "phonexml: holds no element"},
		{"another's", "<device/>", `phonexml: root element is "device"`},
		{"cut", "<dialTemplate>\n<TEMPLATE", "phonexml: XML syntax error on line 2"},
		{"number", `<dialTemplate><TEMPLATE match="1" timeout="soon"/></dialTemplate>`, `timeout: "soon" is not a number`},
		{"number in an element", "<softKeyCfg><typeSoftKey><softKeyDef><tag>x</tag></softKeyDef></typeSoftKey></softKeyCfg>", `tag: "x" is not a number`},
		{"truth", "<featurePolicy><featureDef><enable>perhaps</enable></featureDef></featurePolicy>", `enable: "perhaps" is neither true nor false`},
		{"two", "<CiscoIPPhoneText/><CiscoIPPhoneText/>", "a second root element"},
		{"name space", `<a:dialTemplate xmlns:a="b"/>`, "has a prefix"},
		{"document type", `<!DOCTYPE x [<!ENTITY e "f">]><dialTemplate/>`, "a document type"},
		{"text behind", "<dialTemplate/>more", "text outside"},
		{"too large", strings.Repeat(" ", MaxSize+1), "exceeds"},
	} {
		if got, err := Parse([]byte(c.xml)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Parse = %v, %v, want an error with %q", c.name, got, err, c.want)
		}
	}
}

func samples(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	all := map[string][]byte{}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[path] = b
	}
	return all
}

func TestTruncated(t *testing.T) {
	t.Parallel()
	for path, whole := range samples(t) {
		whole = bytes.TrimRight(whole, "\n")
		for cut := range len(whole) {
			if d, err := Parse(whole[:cut]); err == nil {
				t.Fatalf("%s cut to %d bytes is read as %s", path, cut, d)
			}
		}
		d, err := Parse(whole)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		again(t, path, d)
	}
}

func TestKnownNumbers(t *testing.T) {
	t.Parallel()
	events := map[string][3]Number{"Undefined": {0, 0, 0}, "Redial": {1, 1, 301}, "RmLstC": {57, 19, 319}, "DND": {63, 69, 369}, "iDivert": {80, 31, 331}, "AbbrDial": {7740, 71, 371}, "Record": {7747, 74, 374}}
	for _, key := range KnownSoftKeys() {
		if want, ok := events[key.ID]; ok && want != [3]Number{key.Tag, key.Event, key.Help} {
			t.Errorf("%s is %v, want %v as published", key.ID, key, want)
		}
		delete(events, key.ID)
	}
	if len(events) > 0 {
		t.Errorf("not known: %v", events)
	}
	if features := KnownFeatures(); len(features) != 16 || features[7] != "Barge" || features[15] != "Malicious Caller ID" {
		t.Errorf("features are %v, want 16 with Barge as number 8", features)
	}
}

func FuzzParse(f *testing.F) {
	for _, b := range samples(f) {
		f.Add(b)
	}
	f.Add([]byte(`<CiscoIPPhoneMenu a="1"><Title>x</Title><b><![CDATA[c]]></b></CiscoIPPhoneMenu>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(b)
		if err != nil {
			return
		}
		again(t, "fuzz", d)
	})
}
