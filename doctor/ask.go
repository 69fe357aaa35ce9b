package doctor

import (
	"slices"
	"strings"
)

// Question is what to collect from one kind of equipment.
type Question struct {
	Topic string
	// Before says where the commands are typed and what they cost; After what to do with the answers.
	Before, After []string
	// Paste are commands only, line by line. Commands of other releases stand among them: what a release does not know it
	// refuses, and the doctor passes over that.
	Paste []string
}

// Questions are all of them. Sources of the commands: docs/operate/doctor.md.
func Questions() []Question { return slices.Clone(questions) }

// Ask returns the question about a topic.
func Ask(topic string) (Question, bool) {
	at := slices.IndexFunc(questions, func(q Question) bool { return q.Topic == strings.ToLower(topic) })
	if at < 0 {
		return Question{}, false
	}
	return questions[at], true
}

var questions = []Question{
	{
		Topic: "asa",
		Before: []string{
			"On the ASA, in a session that keeps what it shows in a file (PuTTY: Session > Logging; `ssh asa | tee asa.txt`),",
			"after `enable`. All of it only reads. Releases from 8.2 to today: what one does not know it refuses.",
		},
		Paste: []string{
			"terminal pager 0",
			"show clock",
			"show version",
			"show running-config",
			"show running-config all ssl",
			"show running-config all group-policy",
			"show running-config all tunnel-group",
			"show webvpn anyconnect",
			"show webvpn svc",
			"show crypto ca certificates",
			"show ssl",
			"show interface ip brief",
			"show route",
			"show ip local pool",
			"show vpn-sessiondb summary",
			"show vpn-sessiondb license-summary",
			"show vpn-sessiondb detail anyconnect",
			"show vpn-sessiondb detail svc",
			"show logging",
		},
		After: []string{
			"If it still cannot be told: type `debug webvpn 255`, `debug webvpn anyconnect 255` (8.2, 8.3: `debug webvpn svc 255`), let the phone",
			"try once, type `undebug all`, and give that output, too. On a busy gateway debugging costs time: do it when few are in.",
			"Then: longcord doctor asa.txt",
		},
	},
	{
		Topic: "cucm",
		Before: []string{
			"On CUCM's command line (ssh as the platform's administrator, not the web page), in a session that keeps what it shows.",
			"All of it only reads. Put the phone's name in the place of SEP001122334455.",
		},
		Paste: []string{
			"set cli pagination off",
			"show version active",
			"show status",
			"utils ntp status",
			"utils service list",
			"show cert list own",
			"show cert list trust",
			"show itl",
			"show ctl",
			"run sql select name,url from vpngateway",
			"run sql select name from vpngroup",
			"run sql select name from vpnprofile",
			"run sql select d.name,d.description,m.name as model from device d inner join typemodel m on d.tkmodel=m.enum where d.name='SEP001122334455'",
		},
		After: []string{
			"The phone's file says most of all; from any computer in the office:",
			"    curl -O http://CUCM:6970/SEP001122334455.cnf.xml.sgn   (or SEP001122334455.cnf.xml)",
			"    curl -O http://CUCM:6970/ITLSEP001122334455.tlv",
			"Then: longcord doctor cucm.txt SEP001122334455.cnf.xml.sgn",
		},
	},
	{
		Topic: "ocserv",
		Before: []string{
			"On the machine that runs ocserv, as root. All of it only reads.",
		},
		Paste: []string{
			"(",
			"date",
			"ocserv --version",
			"cat /etc/ocserv/ocserv.conf",
			"occtl show status",
			"occtl show users",
			"occtl show ip bans",
			"ss -lntup",
			"ip address",
			"ip route",
			"sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding",
			"iptables-save",
			"nft list ruleset",
			"journalctl -u ocserv --since '2 hours ago' --no-pager",
			"grep ocserv /var/log/syslog /var/log/messages | tail -n 2000",
			") > ocserv.txt 2>&1",
		},
		After: []string{
			"Let the phone try once before. If the log says little, set `log-level = 3` where the release knows it, or start ocserv with",
			"`--debug 3`, and do it once more.",
			"Then: longcord doctor ocserv.txt",
		},
	},
	{
		Topic: "asterisk",
		Before: []string{
			"On the machine that runs Asterisk, as root. All of it only reads. Commands of channel drivers that are not loaded are refused.",
		},
		Paste: []string{
			"(",
			"date",
			"asterisk -rx 'core show version'",
			"asterisk -rx 'core show settings'",
			"asterisk -rx 'sip show settings'",
			"asterisk -rx 'sip show peers'",
			"asterisk -rx 'pjsip show endpoints'",
			"asterisk -rx 'pjsip show transports'",
			"asterisk -rx 'pjsip show contacts'",
			"asterisk -rx 'sccp show globals'",
			"asterisk -rx 'sccp show devices'",
			"asterisk -rx 'sccp show lines'",
			"grep -v '^ *;' /etc/asterisk/sip.conf /etc/asterisk/pjsip.conf /etc/asterisk/sccp.conf /etc/asterisk/rtp.conf /etc/asterisk/acl.conf -h",
			"ss -lntup",
			"ip route",
			"tail -n 5000 /var/log/asterisk/messages /var/log/asterisk/messages.log /var/log/asterisk/full",
			") > asterisk.txt 2>&1",
		},
		After: []string{
			"Secrets in these files are passed over; `longcord doctor --bundle` takes them out of what you send on.",
			"Then: longcord doctor asterisk.txt",
		},
	},
	{
		Topic: "phone",
		Before: []string{
			"From a computer that reaches the phone; its address is on the phone under Settings > Network Configuration (79xx) or",
			"Settings > Admin settings > Network setup (88xx). Give the four names first: the phone, its file server, its gateway.",
		},
		Paste: []string{
			"PHONE=192.0.2.7 NAME=SEP001122334455 TFTP=192.0.2.10 GATEWAY=vpn.example.com",
			"mkdir phone",
			`curl -sk -o phone/device.html "http://$PHONE/CGI/Java/Serviceability?adapter=device.statistics.device"`,
			`curl -sk -o phone/network.html "http://$PHONE/CGI/Java/Serviceability?adapter=device.statistics.configuration"`,
			`curl -sk -o phone/status.html "http://$PHONE/CGI/Java/Serviceability?adapter=device.settings.status.messages"`,
			`curl -sk -o phone/debug.html "http://$PHONE/CGI/Java/Serviceability?adapter=device.trace.display.alarm"`,
			`curl -sk -o phone/device.xml "http://$PHONE/DeviceInformationX"`,
			`curl -sk -o phone/network.xml "http://$PHONE/NetworkConfigurationX"`,
			`for i in "" .0 .1 .2; do curl -sk -o phone/messages$i "http://$PHONE/FS/messages$i"; done`,
			`for i in 0 1 2 3; do curl -sk -o phone/DeviceLog$i.xml "http://$PHONE/DeviceLogX?$i"; done`,
			`curl -s -o phone/$NAME.cnf.xml "http://$TFTP:6970/$NAME.cnf.xml"`,
			`curl -s -o phone/$NAME.cnf.xml.sgn "http://$TFTP:6970/$NAME.cnf.xml.sgn"`,
			`tftp $TFTP -c get $NAME.cnf.xml phone/$NAME.tftp.cnf.xml`,
			`openssl s_client -connect $GATEWAY:443 -servername $GATEWAY -showcerts </dev/null >phone/gateway.txt 2>&1`,
			`openssl s_client -connect $GATEWAY:443 -tls1 -cipher DEFAULT@SECLEVEL=0 </dev/null >phone/gateway-tls1.txt 2>&1`,
		},
		After: []string{
			"If the web page is shut: webAccess 0 in the phone's file (CUCM: Web Access, Enabled) opens it. What the phone shows by itself helps,",
			"too: Settings > Status > Status Messages; type it into a file, word by word.",
			"A newer phone can make a report itself: Settings > Phone information > Report problem; give that file as it is.",
			"Then: longcord doctor phone",
		},
	},
}
