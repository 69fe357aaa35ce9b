package judge

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// What became of the phone's downloads.
var _ = rule(func(c *Case) {
	for _, f := range c.All(fact.PhoneFileTimeout) {
		if recovered(c, f) || speaks(c) && !believed(c) {
			continue // outside without a tunnel nobody answers
		}
		c.Find(finding.TFTPUnreachable.With(tftpServer(c, f)).As(finding.Likely), f)
	}
	for _, f := range c.All(fact.PhoneFileMissing) {
		switch file := f.Get("file"); {
		case strings.HasSuffix(file, ".loads") || recovered(c, f):
		case file == "":
			c.Find(finding.TFTPFileMissing.With(tftpServer(c, f), "that the phone asks for, which is its own mostly").As(finding.Likely), f)
		default:
			c.Find(finding.TFTPFileMissing.With(tftpServer(c, f), file), f)
		}
	}
	for _, f := range c.All(fact.PhoneFileRefused) {
		file := f.Get("file")
		if strings.HasSuffix(file, ".loads") || recovered(c, f) {
			continue
		}
		certainty := finding.Likely
		if file == "" {
			file = "that the phone asks for, or the folder that it should be in"
		} else if !strings.Contains(strings.ToUpper(file), "SEP") {
			certainty = finding.Possible // phones do without
		}
		c.Find(finding.TFTPFileMissing.With(tftpServer(c, f), file).As(certainty), f)
		if strings.HasSuffix(file, ".sgn") && certainty == finding.Likely {
			c.Find(finding.ForeignTrustList.With(device(c)).As(finding.Possible), f)
		}
	}
	for _, f := range c.All(fact.PhoneDefaultFile) {
		if !recovered(c, f) {
			c.Find(finding.TFTPFileMissing.With(tftpServer(c, f), "the phone's own file, so it took XMLDefault.cnf.xml").As(finding.Likely), f)
		}
	}
}, finding.TFTPUnreachable, finding.TFTPFileMissing, finding.ForeignTrustList)

// tftpServer returns the file server that the phone asked.
func tftpServer(c *Case, f fact.Fact) string {
	if s := f.Get("server"); s != "" {
		return s
	}
	if s := value(c, "tftp1", fact.PhonePage); s != "" {
		return s
	}
	return "its TFTP server"
}
