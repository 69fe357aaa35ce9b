package doctor_test

import (
	"strings"
	"testing"
)

// ofOffice are texts of call managers, file servers and phones in the office, and what is to be said of them.
var ofOffice = map[string]struct{ text, want string }{
	"ITL verified":             {"admin:show itl\nLength of ITL file: 5302\nBYTEPOS TAG             LENGTH  VALUE\n3       SIGNERID        2       110\nThe ITL file was verified successfully.\n", "ok"},
	"CTL broken":               {"Verification of the CTL file failed.\nError parsing the CTL File.\n", "fault trust-list-mismatch(likely)"},
	"clock set":                {"admin:utils ntp status\nntpd (pid 26049) is running...\nsynchronised to NTP server (10.20.0.9) at stratum 2\n   time correct to within 22 ms\n", "ok"},
	"clock not set":            {"admin:utils ntp status\nntpd (pid 26049) is running...\nunsynchronised\n  time server re-starting\n", "ok clock-wrong(likely)"},
	"clock not set, then well": {"Clock is unsynchronized, stratum 16, no reference clock\nClock is synchronized, stratum 3, reference is 192.0.2.1\n", "insufficient"},

	"file of another cluster": {
		`00004377.002 |07:28:32.110 |AppInfo  |   ServeFile::wait_FileRequest Received File request for SEP00005E005301.cnf.xml with Request ID 43
00004378.011 |07:28:32.110 |AppInfo  |   ServeDynamicFile::FindAndServe File Not Found - 404 - Failure
00004379.003 |07:28:32.110 |AppInfo  |   ServeFile::wait_FileResponse FileStatus : 0 -- OffClusters Configured : 1
00004452.006 |07:28:34.624 |AppInfo  |   ReceivedServeRsp: Signal TransID[43] File Found - 200 - Success
`, "ok",
	},
	"file of no cluster": {
		`00004377.002 |07:28:32.110 |AppInfo  |   ServeFile::wait_FileRequest Received File request for SEP00005E005301.cnf.xml with Request ID 43
00004378.011 |07:28:32.110 |AppInfo  |   ServeDynamicFile::FindAndServe File Not Found - 404 - Failure
00004379.003 |07:28:32.110 |AppInfo  |   ServeFile::wait_FileResponse FileStatus : 0 -- OffClusters Configured : 1
00004384.005 |07:28:32.110 |AppInfo  |   UpdateSearchRsp: Signal TransID[43] Search req updated to CRMDB [SEP00005E005301.cnf.xml] [FileNotFound] [0] time taken [0] secs
`, "fault tftp-file-missing",
	},
	"file of this cluster": {
		`00004377.002 |07:28:32.110 |AppInfo  |   ServeFile::wait_FileRequest Received File request for SEP00005E005301.cnf.xml with Request ID 43
00004378.020 |07:28:38.208 |AppInfo  |   ServeDynamicFile::FindAndServe ServeDynamicFile::wait_dynamicFileRequest [FileName:(SEP00005E005301.cnf.xml),Content Length:(12025)]
`, "ok",
	},

	"alarm: gone for good": {"%UC_CALLMANAGER-3-EndPointUnregistered: %[DeviceName=SEP00005E005301][IPAddress=10.99.0.40][Reason=13]: An endpoint has unregistered\n", "insufficient"},
	"alarm: reset":         {"%UC_CALLMANAGER-6-EndPointUnregistered: %[DeviceName=SEP00005E005301][IPAddress=10.99.0.40][Reason=9]: An endpoint has unregistered\n", "insufficient"},
	"alarm: unknown, then added": {
		"%UC_CALLMANAGER-4-EndPointTransientConnection: %[DeviceName=SEP00005E005301][IPAddress=10.99.0.40][Reason=2]: x\n" +
			"%UC_CALLMANAGER-6-EndPointRegistered: %[DeviceName=SEP00005E005301][IPAddress=10.99.0.40]: x\n", "ok registration-refused(possible)",
	},
	"alarm: wrong protocol":           {"%CCM_CALLMANAGER-CALLMANAGER-4-DeviceTransientConnection : %[DeviceName=SEP00005E005301][IPAddress=10.99.0.40][Reason=15]: x\n", "fault registration-refused"},
	"alarm: reset while it registers": {"%UC_CALLMANAGER-4-EndPointTransientConnection: %[DeviceName=SEP00005E005301][IPAddress=10.99.0.40][Reason=9]: x\n", "insufficient"},
	"alarm: no word of reason":        {"%UC_CALLMANAGER-4-EndPointTransientConnection: %[IPAddress=10.99.0.40][Reason=6]: x\n", "insufficient"},

	"bans of strangers":  {"2026-11-25 18:22:07,123 fail2ban.actions [812]: NOTICE  [asterisk] Ban 192.0.2.61\n2026-11-25 18:22:09,123 fail2ban.actions [812]: NOTICE  [sshd] Ban 10.1.1.1\n", "insufficient"},
	"a ban that is over": {"2026-11-25 18:22:07,123 fail2ban.actions [812]: NOTICE  [asterisk] Ban 10.1.1.1\n2026-11-25 18:32:09,123 fail2ban.actions [812]: NOTICE  [asterisk] Unban 10.1.1.1\n", "insufficient"},
	"a ban":              {"2026-11-25 18:22:07,123 fail2ban.actions [812]: NOTICE  [asterisk] Ban 10.1.1.1\n", "fault registration-acl(likely)"},

	"alarm: of SCCP":            {`<Alarm Name="LastOutOfServiceInformation"><String name="DeviceName">SEP00005E005301</String><Enum name="ReasonForOutOfService">24</Enum></Alarm>` + "\n", "fault registration-refused(likely)"},
	"alarm: of SCCP, reset":     {`<Alarm Name="LastOutOfServiceInformation"><String name="DeviceName">sep00005e005301</String><Enum name="ReasonForOutOfService">23</Enum></Alarm>` + "\n", "insufficient"},
	"alarm: of SCCP, line lost": {`<Alarm Name="LastOutOfServiceInformation"><String name="DeviceName">SEP00005E005301</String><Enum name="ReasonForOutOfService">10</Enum></Alarm>` + "\n", "insufficient"},

	"listed: refused":       {"12\t-17.45\t10.10.10.60\t10.10.10.48\tSIP\t520\tRequest: REGISTER sip:10.10.10.48  (1 binding) |\n13\t-17.44\t10.10.10.48\t10.10.10.60\tSIP\t571\tStatus: 401 Unauthorized |\n14\t-17.33\t10.10.10.60\t10.10.10.48\tSIP\t776\tRequest: REGISTER sip:10.10.10.48  (1 binding) |\n15\t-17.32\t10.10.10.48\t10.10.10.60\tSIP\t571\tStatus: 401 Unauthorized |\n", "fault registration-refused(likely)"},
	"listed: taken":         {"    1   0.000000 10.10.10.60 → 10.10.10.48 SIP 520 Request: REGISTER sip:10.10.10.48  (1 binding) |\n    2   0.010000 10.10.10.48 → 10.10.10.60 SIP 571 Status: 401 Unauthorized |\n    3   0.020000 10.10.10.60 → 10.10.10.48 SIP 776 Request: REGISTER sip:10.10.10.48  (1 binding) |\n    4   0.030000 10.10.10.48 → 10.10.10.60 SIP 571 Status: 200 OK  (1 binding) |\n", "ok"},
	"listed: of a provider": {"1 0.0 10.10.10.60 192.0.2.48 SIP 520 Request: REGISTER sip:example.net  (1 binding) |\n2 0.1 192.0.2.48 10.10.10.60 SIP 571 Status: 403 Forbidden |\n", "insufficient"},

	"no name in the digest": {"[Nov 20 10:12:44] WARNING[2187]: chan_sip.c:16571 check_auth: username mismatch, have <1002>, digest has <>\n", "fault registration-refused"},
	"comes and goes": {strings.Repeat("[Nov 23 19:03:12] NOTICE[1674]: chan_sip.c:24694 sip_poke_noanswer: Peer '1002' is now UNREACHABLE!  Last qualify: 194\n"+
		"[Nov 23 19:03:22] NOTICE[1674]: chan_sip.c:19523 handle_response_peerpoke: Peer '1002' is now Reachable. (148ms / 2000ms)\n", 3), "insufficient"},
	"away once": {"[Nov 23 19:03:12] NOTICE[1674]: chan_sip.c:24694 sip_poke_noanswer: Peer '1002' is now UNREACHABLE!  Last qualify: 194\n" +
		"[Nov 23 19:03:22] NOTICE[1674]: chan_sip.c:19523 handle_response_peerpoke: Peer '1002' is now Reachable. (148ms / 2000ms)\n", "ok"},
	"came and is gone": {"    -- Added contact 'sip:1002@10.99.0.40:5060' to AOR '1002' with expiration of 600 seconds\n" +
		"    -- Contact 1002/sip:1002@10.99.0.40:5060 is now Unreachable.  RTT: 0.000 msec\n", "insufficient"},

	"a CME without VPN":                 {"version 15.2\ntelephony-service\n ip source-address 10.20.0.1 port 2000\nephone 1\n mac-address 0000.5E00.5301\n type 7960\n button 1:1\nend\n", "insufficient model-without-vpn"},
	"a CME without VPN, at 192.168.1.1": {"version 15.2\ntelephony-service\n ip source-address 192.168.1.1 port 2000\nephone 1\n mac-address 0000.5E00.5301\n type 7960\n button 1:1\nip dhcp pool VOICE\n option 150 ip 192.168.1.1\nend\n", "insufficient model-without-vpn home-network-overlaps"},
	"a CME with VPN": {"version 15.2\nvoice service voip\n vpn-group 1\n  vpn-gateway 1 https://vpn.example.net/phone\n  vpn-trustpoint 1 trustpoint A leaf\ntelephony-service\n ip source-address 10.20.0.1 port 2000\n cnf-file perphone\n" +
		"ephone 1\n mac-address 0000.5E00.5301\n type 7960\n vpn-group 1\n button 1:1\nend\n", "fault model-without-vpn"},

	"option 150 in a recording, as text": {"    Option: (150) TFTP Server Address\n        Length: 12\n        TFTP Server Address: 49.48.46.49\n        TFTP Server Address: 51.54.46.49\n        TFTP Server Address: 50.51.46.49\n", "fault tftp-unreachable(likely)"},
	"option 150 in a recording":          {"    Option: (150) TFTP Server Address\n        Length: 4\n        TFTP Server Address: 10.20.0.5\n", "insufficient"},

	"dhcpd: both options": {"option cisco-tftp code 150 = ip-address;\nsubnet 10.20.30.0 netmask 255.255.255.0 {\n  option cisco-tftp 10.20.0.5;\n  option tftp-server-name \"10.20.0.5\";\n}\n", "insufficient"},
	"dhcpd: as text":      {"option cisco-tftp code 150 = text;\noption cisco-tftp \"10.20.0.5\";\n", "fault tftp-unreachable(likely)"},
	"dhcpd: two servers":  {"option cisco-tftp code 150 = array of ip-address;\noption cisco-tftp 10.20.0.5, 10.20.0.6;\noption tftp-server-name \"10.20.9.9\";\n", "insufficient second-tftp-answers(possible)"},
	"a pool":              {"ip dhcp pool VOICE\n network 10.50.10.0 255.255.255.0\n default-router 10.50.10.1\n option 150 ip 10.50.10.20 10.50.10.21\n", "insufficient"},
	"a pool, as text":     {"version 15.2\nip dhcp pool VOICE\n network 10.50.10.0 255.255.255.0\n option 150 ascii 10.50.10.20\nend\n", "fault tftp-unreachable(likely)"},

	"tftpd32":          {"Read request for file <SEP00005E005301.cnf.xml>. Mode octet\n<SEP00005E005301.cnf.xml>: sent 24 blks, 12025 bytes in 0 s. 0 blk resent\n", "ok"},
	"TFTP of a router": {"*Nov 25 10:00:00.123: TFTP: Looking for SEP00005E005301.cnf.xml\n*Nov 25 10:00:00.223: TFTP: Finished system:/its/SEP00005E005301.cnf.xml, time 00:00:00 for process 312\n", "ok"},

	"TFTP did not start": {"Nov 25 19:11:00 debian systemd[1]: tftpd-hpa.service: Failed with result 'exit-code'.\n", "fault tftp-unreachable(likely)"},
	"TFTP did later":     {"Nov 25 19:11:00 debian systemd[1]: tftpd-hpa.service: Failed with result 'exit-code'.\nNov 25 19:12:00 debian systemd[1]: Started tftpd-hpa.service - LSB: HPA's tftp server.\n", "insufficient"},
	"TFTP finished":      {"Nov 25 11:38:42 pbx in.tftpd[2080]: RRQ from 10.98.1.5 filename SEP00005E005301.cnf.xml\nNov 25 11:38:42 pbx in.tftpd[2080]: Client 10.98.1.5 finished SEP00005E005301.cnf.xml\n", "ok"},
	"TFTP has not":       {"Nov 25 11:38:42 pbx in.tftpd[2080]: RRQ from 10.98.1.5 filename SEP00005E005301.cnf.xml remapped to x\nNov 25 11:38:42 pbx in.tftpd[2080]: Client 10.98.1.5 File not found x\n", "fault tftp-file-missing"},

	"peers":                 {"1001/1001                 10.20.0.21                               D  No         No             5060     OK (12 ms)\n1002/1002                 10.20.0.22                               D  No         No             5060     UNREACHABLE\n", "insufficient"},
	"no peer":               {"1002/1002                 10.20.0.22                               D  No         No             5060     UNREACHABLE\n", "insufficient"},
	"contacts":              {"  Contact:  1001/sip:1001@10.20.0.21:5060              2f8ed5b2a1 Avail        12.345\n", "ok"},
	"no contact":            {"  Contact:  1002/sip:1002@10.20.0.22:5060              2f8ed5b2a1 Unavail         nan\n", "insufficient"},
	"devices":               {"| Ext 11111 -- SEP00005E005301  OK         No To  Wed Sep 21 13:18:02 2016 Yes 1     (Auto)Off |\n", "ok"},
	"no device":             {"| Ext 11111 -- SEP00005E005301  Progress       No To  Wed Sep 21 13:19:02 2016 Yes 1     (Auto)Off |\n", "insufficient"},
	"a peer that is gone":   {"[Nov 25 09:28:40] NOTICE[5403]: chan_sip.c:29881 sip_poke_noanswer: Peer '1001' is now UNREACHABLE!  Last qualify: 12\n", "insufficient"},
	"a peer that is back":   {"[Nov 25 09:28:40] NOTICE[5403]: chan_sip.c:29881 sip_poke_noanswer: Peer '1001' is now UNREACHABLE!  Last qualify: 12\n[Nov 25 09:29:40] NOTICE[5403]: chan_sip.c:23868 handle_response_peerpoke: Peer '1001' is now Reachable. (15ms / 2000ms)\n", "ok"},
	"an alarm of chan-sccp": {"[Nov 25 17:53:25] VERBOSE[2797] :     -- SCCP: Alarm Message: Severity: Informational (2), Name=SEP00005E005301 Load=CP7925G-1.4.8SR1.5 Last=TCP-timeout [67584/353267722]\n", "insufficient"},

	"a display, newest first":        {"[8:52:30am 10/01/26] SEP00005E005301.cnf.xml(HTTP)\n[8:51:10am 10/01/26] TFTP Timeout : SEP00005E005301.cnf.xml\n", "ok"},
	"a display, newest last":         {"[8:51:10am 10/01/26] SEP00005E005301.cnf.xml(HTTP)\n[8:52:30am 10/01/26] TFTP Timeout : SEP00005E005301.cnf.xml\n", "fault tftp-unreachable(likely)"},
	"a login refused, then well":     {"[8:51:10am 10/01/26] VPN authentication failed\n[8:52:30am 10/01/26] VPN Connected\n", "ok"},
	"a tunnel, newest first":         {"[8:52:30am 10/01/26] VPN connected\n[8:51:10am 10/01/26] VPN authentication failed\n", "insufficient"},
	"a tunnel, then a login refused": {"[8:51:10am 10/01/26] VPN connected\n[8:52:30am 10/01/26] VPN authentication failed\n", "fault login-refused(likely)"},
	"VPN failed, then well":          {"[8:51:10am 10/01/26] VPN connection failed\n[8:52:30am 10/01/26] VPN connected\n", "ok"},
	"a tunnel, then VPN failed":      {"[8:51:10am 10/01/26] VPN connected\n[8:52:30am 10/01/26] VPN connection failed\n", "insufficient"},
	"a name that many ask for":       {"Nov 26 00:12:49 dnsmasq[16475]: reply vpn.example.org is NXDOMAIN\nNov 26 00:12:49 dnsmasq[16475]: reply gw.example.net is NXDOMAIN\n", "insufficient"},
	"not believed, then well":        {"101: ERR 10:00:00.100000 SECD: EROR:verifyFile: verify failed, </usr/ram/SEP00005E005301.cnf.xml.sgn>\n102: NOT 10:00:00.200000 SECD: verifyFile: verify SUCCESS </usr/ram/SEP00005E005301.cnf.xml.sgn>\n", "ok"},
	"believed by none":               {"101: ERR 10:00:00.100000 SECD: EROR:verifyFile: verify failed, </usr/ram/SEP00005E005301.cnf.xml.sgn>\n", "fault trust-list-mismatch foreign-trust-list(possible)"},
	"CAPF: nothing to do":            {"1234: NOT 10:00:00.123456 CAPF: Error: no pending certificate operation\n", "insufficient"},
	"CAPF: not believed":             {"1234: NOT 10:00:00.123456 CAPF: TLS handshake with CAPF server failed\n", "fault capf-untrusted(likely)"},

	"refused last time, then well": {"[Nov 25 17:53:25] VERBOSE[2797] :     -- SCCP: Alarm Message: Severity: Informational (2), Name=SEP00005E005301 Load=7962.1 Last=Phone-Reg-Rej [1/2]\n[Nov 25 17:53:27] NOTICE[2797]: sccp_device.c:100 x: SEP00005E005301: Registration State is 'OK'\n", "ok"},
	"refused, and another in":      {"[Nov 25 17:53:25] VERBOSE[2797] :     -- SCCP: Alarm Message: Severity: Informational (2), Name=SEP00005E005301 Load=7962.1 Last=Phone-Reg-Rej [1/2]\n[Nov 25 17:53:27] NOTICE[2797]: sccp_device.c:100 x: SEP00005E005302: Registration State is 'OK'\n", "fault registration-refused(likely)"},
	"asked for a password once":    {sipTalk("Cisco-CP8841/12.8.1", "401 Unauthorized") + sipTalk("Cisco-CP8841/12.8.1", "401 Unauthorized"), "insufficient"},

	"FreeSWITCH: no such user":   {"2026-11-26 07:44:01.124410 98.90% [WARNING] sofia_reg.c:2929 Can't find user [204@10.20.0.5] from 10.99.0.21\n", "fault registration-refused"},
	"FreeSWITCH: a guess":        {"2026-11-26 07:44:01.124410 98.90% [WARNING] sofia_reg.c:2929 Can't find user [100@10.20.0.5] from 203.0.113.9\n", "insufficient registration-refused(possible)"},
	"FreeSWITCH: another's user": {"su: Can't find user [204] in the directory\n", "insufficient"},
	"guesses from outside":       {"[Nov 25 17:53:25] NOTICE[812]: chan_sip.c:1 x: Registration from '<sip:100@198.51.100.7>' failed for '203.0.113.9:5071' - Wrong password\n[Nov 25 17:53:25] NOTICE[812]: chan_sip.c:1 x: Registration from '<sip:101@198.51.100.7>' failed for '203.0.113.9:5071' - Wrong password\n", "insufficient registration-refused(possible) registration-refused(possible)"},
	"a guess at a line in use":   {"    -- Added contact 'sip:1002@10.99.0.40:5060' to AOR '1002' with expiration of 600 seconds\n[Nov 25 17:53:25] NOTICE[812]: res_pjsip/pjsip_distributor.c:676 x: Request 'REGISTER' from '<sip:1002@198.51.100.7>' failed for '203.0.113.9:5071' (callid: 2) - Failed to authenticate\n", "ok registration-refused(possible)"},
	"a phone from outside":       {"[Nov 25 17:53:25] NOTICE[812]: chan_sip.c:1 x: Registration from '<sip:1002@198.51.100.7>' failed for '203.0.113.9:5071' - Wrong password\n", "fault registration-refused"},

	"a load is missing, then well": {"Nov 25 11:38:42 pbx in.tftpd[2080]: RRQ from 10.98.1.5 filename SIP/sip88xx.12-8-1-0001-455.loads\nNov 25 11:38:42 pbx in.tftpd[2080]: Client 10.98.1.5 File not found SIP/sip88xx.12-8-1-0001-455.loads\n" +
		"Nov 25 11:38:43 pbx in.tftpd[2080]: RRQ from 10.98.1.5 filename sip88xx.12-8-1-0001-455.loads\nNov 25 11:38:43 pbx in.tftpd[2080]: Client 10.98.1.5 finished sip88xx.12-8-1-0001-455.loads\n", "ok"},
	"no signed form":          {"Nov 25 11:38:42 pbx in.tftpd[2080]: RRQ from 10.98.1.5 filename SEP00005E005301.cnf.xml.sgn\nNov 25 11:38:42 pbx in.tftpd[2080]: Client 10.98.1.5 File not found SEP00005E005301.cnf.xml.sgn\n", "insufficient tftp-file-missing(possible)"},
	"full, then well":         {"00004377.002 |07:28:32.110 |AppInfo  |   TFTPServer::recvMessage Reached max count, returning 503\n00004378.020 |07:28:38.208 |AppInfo  |   ServeDynamicFile::FindAndServe [FileName:(SEP00005E005301.cnf.xml),Content Length:(12025)]\n", "ok"},
	"a file that was missing": {"I checked: SEP00005E005301.cnf.xml was not found, now I renamed it and the phone loads it.\n", "insufficient"},

	"CAPF: knows no such phone": {"10.20.4.33:51022 Device Name: SEP00005E005301\n10.20.4.33:51022 Unknown device: SEP00005E005301\n", "fault capf-untrusted(likely)"},
	"CAPF: a phone asks":        {"10.20.4.33:51022 Device Name: SEP00005E005301\n", "insufficient"},
	"TFTP service stopped":      {"Cisco CallManager[STARTED]\nCisco Tftp[STOPPED]  Component is not running\n", "fault tftp-unreachable(likely)"},
	"TFTP service elsewhere":    {"Cisco Tftp[STARTED]\nadmin:utils service list\nCisco Tftp[STOPPED]  Component is not running\n", "insufficient tftp-unreachable(possible)"},
	"TVS and others stopped":    {"Cisco Trust Verification Service[STOPPED]\nCisco WebDialer Web Service[STOPPED]  Service Not Activated\n", "fault tvs-unreachable(likely)"},
	"dnsmasq: no folder":        {"Nov 20 21:12:40 pi dnsmasq[4410]: TFTP directory /srv/tftp inaccessible: Permission denied\nNov 20 21:12:40 pi dnsmasq[4410]: FAILED to start up\n", "fault tftp-unreachable(likely)"},
	"router: signed alone":      {strings.Repeat("*Nov 25 10:00:00.123: TFTP: Looking for SEP00005E005301.cnf.xml.sgn\n", 3), "fault foreign-trust-list(likely) tftp-file-missing(possible)"},
	"router: signed, then plain": {strings.Repeat("*Nov 25 10:00:00.123: TFTP: Looking for SEP00005E005301.cnf.xml.sgn\n*Nov 25 10:00:00.153: TFTP: Looking for SEP00005E005301.cnf.xml\n"+
		"*Nov 25 10:00:00.163: TFTP: Opened system:/its/SEP00005E005301.cnf.xml, fd 0, size 100 for process 312\n*Nov 25 10:00:00.223: TFTP: Finished system:/its/SEP00005E005301.cnf.xml, time 00:00:00 for process 312\n", 3), "ok"},

	"CME: no pool":        {"*Nov 22 11:52:54.539 CET: VOICE_REG_POOL: Register request for (33015) from (10.20.4.39)\n*Nov 22 11:52:54.539 CET: VOICE_REG_POOL: Contact doesn't match any pools.\n", "fault registration-refused"},
	"CME: a request":      {"*Nov 22 11:52:54.539 CET: VOICE_REG_POOL: Register request for (33015) from (10.20.4.39)\n", "insufficient"},
	"CME: a pool is full": {"voice register pool  3\n id network 10.20.7.0 mask 255.255.255.0\n!\nr1#debug voice register errors\n*Nov 22 11:53:04.559 CET: VOICE_REG_POOL: Register request for (33017) from (10.20.7.39)\n*Nov 22 11:53:04.559 CET: VOICE_REG_POOL: Maximum registration threshold for pool(3) hit\n", "fault registration-refused"},
	"3CX: refused":        {"10:41:12.552 [CM102001]: Authentication failed for SipReq:  REGISTER 10.20.0.7 tid=9 cseq=REGISTER contact=107@10.20.4.66:5060 / 2 from(wire); Reason: Credentials don't match, check that authorization-ID and password match the ones in extension settings\n", "fault registration-refused"},
	"3CX: refused, then in": {"10:41:12.552 [CM102001]: Authentication failed for SipReq:  REGISTER 10.20.0.7 tid=9 cseq=REGISTER contact=107@10.20.4.66:5060 / 2 from(wire); Reason: Credentials don't match\n" +
		"10:42:12.552 [CM504001]: Ext.107: new contact is registered. Contact(s): [sip:107@10.20.4.66:5060]\n", "ok registration-refused(possible)"},
	"FreeSWITCH: a list":                     {"2026-11-21 14:20:44.318804 98.13% [WARNING] sofia_reg.c:1798 IP 10.99.0.31 Rejected by register acl \"localnet.auto\"\n", "fault registration-acl"},
	"FreeSWITCH: a password":                 {"2026-11-21 14:20:44.318804 [WARNING] sofia_reg.c:1478 SIP auth failure (REGISTER) on sofia profile 'internal' for [1002@10.20.0.5] from ip 10.99.0.31\n", "fault registration-refused"},
	"FreeSWITCH: a challenge":                {"2026-11-21 14:20:44.318804 [WARNING] sofia_reg.c:1533 SIP auth challenge (REGISTER) on sofia profile 'internal' for [1002@10.20.0.5] from ip 10.99.0.31\n", "insufficient"},
	"TLS: too old":                           {tlsFails("unsupported protocol", "10.20.4.61:49214"), "fault registration-tls(likely)"},
	"TLS: a scanner":                         {tlsFails("unsupported protocol", "203.0.113.9:49214"), "insufficient registration-tls(possible)"},
	"TLS: a browser":                         {tlsFails("http request", "10.20.4.61:49214"), "insufficient"},
	"TLS: to a provider":                     {tlsFails("certificate verify failed", "203.0.113.9:5061"), "insufficient"},
	"a table without it":                     {tableLacks + "[2026-11-20 09:28:40] NOTICE[5403]: sccp_session.c:1238 sccp_session_send2: SCCP: Sending Message: Register Reject Message(0x009D) 36 bytes length\n", "fault registration-refused"},
	"a table without it, and a file with it": {tableLacks + "[2026-11-20 09:28:41] NOTICE[5403]: sccp_device.c:100 x: SEP00005E005301: Registration State is 'OK'\n", "ok"},
	"an address of a home":                   {"[2026-11-17 18:02:10] VERBOSE[901] res_pjsip_logger.c: <--- Received SIP request (1190 bytes) from UDP:203.0.113.50:31877 --->\n" + homeContact, "fault nat-in-the-way(likely)"},
	"an address inside":                      {"[2026-11-17 18:02:10] VERBOSE[901] res_pjsip_logger.c: <--- Received SIP request (1190 bytes) from UDP:192.168.178.44:5060 --->\n" + homeContact, "insufficient"},
	"no load that runs":                      {"Protocol Application Invalid\n", "insufficient load-missing(possible)"},
	"a load's name cut":                      {"RRQ from 192.168.189.125 filename P0030801SR02.loads remapped to firmware/P0030801SR\nClient 192.168.189.125 File not found firmware/P0030801SR\n", "ok load-missing"},

	"Kamailio, then well":    {" 5(1234) DEBUG: {1 1 REGISTER abc} auth [api.c:302]: auth_check_response(): Authorization failed\n 5(1234) DEBUG: <core> [core/parser/msg_parser.c:610]: parse_msg():  method:  <REGISTER>\n 5(1234) DEBUG: {1 2 REGISTER abc} registrar [save.c:1]: build_contact(): created Contact HF: Contact: <sip:2031@10.20.4.66:5060>;expires=3600\n", "ok registration-refused(possible)"},
	"guesses at files":       {"45.1.1.9 - - [25/Nov/2026:10:00:00 +0000] \"GET /SEP00005E005301.cnf.xml HTTP/1.1\" 404 0\n45.1.1.9 - - [25/Nov/2026:10:00:00 +0000] \"GET /SEP00005E005302.cnf.xml HTTP/1.1\" 404 0\n", "insufficient tftp-file-missing(possible)"},
	"no file over HTTP":      {"10.1.1.9 - - [25/Nov/2026:10:00:00 +0000] \"GET /SEP00005E005301.cnf.xml HTTP/1.1\" 404 0\n", "fault tftp-file-missing"},
	"a transfer, then well":  {"Nov 25 10:00:00 x atftpd[12.34]: Serving SEP00005E005301.cnf.xml to 10.1.1.9:2000\nNov 25 10:00:05 x atftpd[12.34]: timeout: retrying...\nNov 25 10:00:06 x atftpd[12.34]: End of transfer\n", "ok"},
	"a transfer that breaks": {"Nov 25 10:00:00 x atftpd[12.34]: Serving SEP00005E005301.cnf.xml to 10.1.1.9:2000\nNov 25 10:00:05 x atftpd[12.34]: timeout: retrying...\n", "insufficient"},
	"an option, then well":   {"Nov 25 11:38:42 pbx in.tftpd[2080]: RRQ from 10.98.1.5 filename SEP00005E005301.cnf.xml\nNov 25 11:38:42 pbx in.tftpd[2080]: sending NAK (8, Option negotiation) to 10.98.1.5\nNov 25 11:38:43 pbx in.tftpd[2080]: RRQ from 10.98.1.5 filename SEP00005E005301.cnf.xml\nNov 25 11:38:43 pbx in.tftpd[2080]: Client 10.98.1.5 finished SEP00005E005301.cnf.xml\n", "ok"},
	"CTL broken, then well":  {"Verification of the CTL file failed.\nadmin:show ctl\nThe CTL file was verified successfully.\n", "ok"},
	"a gateway is unknown":   {"%UC_CALLMANAGER-4-EndPointTransientConnection: %[DeviceName=ANALOG1][IPAddress=10.99.0.40][Reason=2]: x\n", "insufficient registration-refused(possible)"},
	"somebody's auth fails":  {"Auth fail\n", "insufficient"},

	"TFTP serves, then well": {"Nov 25 19:11:00 debian systemd[1]: tftpd-hpa.service: Failed with result 'timeout'.\nNov 25 19:12:00 debian in.tftpd[2080]: RRQ from 10.98.1.5 filename SEP00005E005301.cnf.xml\nNov 25 19:12:00 debian in.tftpd[2080]: Client 10.98.1.5 finished SEP00005E005301.cnf.xml\n", "ok"},
	"barred, and in":         {"[Nov 25 17:53:25] NOTICE[812]: chan_sip.c:1 x: Registration from '<sip:1002@10.99.0.1>' failed for '10.88.0.14:5071' - Device does not match ACL\n[Nov 25 17:53:29] VERBOSE[812]: chan_sip.c: Registered SIP '1002' at 10.88.0.14:5060\n", "ok registration-acl(possible)"},
	"lists, then well":       {"9:54:34p Trust List update failed\n9:55:34p Trust List updated\n", "ok"},

	"CME: registered":      {"ephone-1[0] Mac:0000.5E00.5370 TCP socket:[2] activeLine:0 whisperLine:0 REGISTERED in SCCP ver 19/17\n", "ok"},
	"CME: not":             {"ephone-1[0] Mac:0000.5E00.5370 TCP socket:[-1] activeLine:0 whisperLine:0 UNREGISTERED\n", "insufficient"},
	"CME: one of two":      {"ephone-1[0] Mac:0000.5E00.5370 TCP socket:[-1] activeLine:0 whisperLine:0 UNREGISTERED\nephone-2[1] Mac:0000.5E00.5371 TCP socket:[2] activeLine:0 whisperLine:0 REGISTERED in SCCP ver 19/17\n", "insufficient"},
	"CME: gone and back":   {"%IPPHONE-6-UNREGISTER_ABNORMAL: ephone-1:SEP00005E005370 IP:10.1.1.9 Socket:2 DeviceType:Phone has unregistered abnormally.\n%IPPHONE-6-REGISTER: ephone-1:SEP00005E005370 IP:10.1.1.9 Socket:1 DeviceType:Phone has registered.\n", "ok"},
	"restart: rejected":    {"Restart Cause    Phone-Reg-Rej\n", "fault registration-refused(likely)"},
	"restart: lost":        {"Restart Cause: CM-ICMP-Unreach\n", "insufficient"},
	"restart: by somebody": {"Restart Cause    Reset-Restart\n", "insufficient"},
	"damaged load":         {"Checksum Error\n", "ok load-missing(likely)"},
	"not in the database":  {"Error DBConfig\n", "fault registration-refused(likely)"},
	"another model":        {"Registration Rejected\nError: Mismatch\n", "fault registration-refused(likely)"},
	"no address":           {"Configuring IP\n", "insufficient"},
	"no file":              {"Configuring CM List\n", "insufficient"},
	"no call manager":      {"Opening 10.20.0.5\nRegistering\n", "insufficient"},
	"survivable":           {"CM Fallback Service Operating\n", "insufficient"},
	"another's server":     {"TFTP Server Not Authorized : SEP00005E005301.cnf.xml\n", "fault trust-list-mismatch foreign-trust-list(possible)"},
	"a load of no use":     {"Load Auth Failed\n", "insufficient"},
	"a service's name":     {"Host not found\n", "insufficient"},
	"no gateway in a file": {"<device><deviceProtocol>SIP</deviceProtocol><fullConfig>true</fullConfig><vpnGroup/></device>\n", "fault vpn-not-configured"},
	"closed":               {"CUCM closed TCP connection\n", "insufficient"},

	"SIP: refused":      {sipTalk("Cisco-CP7965G/9.4.2", "403 Forbidden"), "fault registration-refused(likely)"},
	"SIP: challenged":   {sipTalk("Cisco-CP7965G/9.4.2", "401 Unauthorized"), "insufficient"},
	"SIP: taken":        {sipTalk("Cisco-CP7965G/9.4.2", "401 Unauthorized") + sipTalk("Cisco-CP7965G/9.4.2", "200 OK"), "ok"},
	"SIP: of no phone":  {sipTalk("PBX trunk", "403 Forbidden"), "insufficient"},
	"SIP: of a gateway": {sipTalk("Cisco-SIPGateway/IOS-15.4.3.M5", "403 Forbidden"), "insufficient"},
	"SIP: by ngrep":     {strings.ReplaceAll(sipTalk("Cisco-CP7965G/9.4.2", "403 Forbidden"), "\n", ".\n"), "fault registration-refused(likely)"},
	"SIP: in a phone's log": {
		"0611 DEB Nov 21 14:33:00.127717 JAVA-sipio-sent---> REGISTER sip:10.20.0.5 SIP/2.0^M\n\tTo: <sip:5035@10.20.0.5>^M\n\tCall-ID: a@10.99.0.21^M\n\tCSeq: 101 REGISTER^M\n" +
			"0650 DEB Nov 21 14:33:00.171483 JAVA-sipio-recv<--- SIP/2.0 404 Not Found^M\n\tTo: <sip:5035@10.20.0.5>;tag=1^M\n\tCall-ID: a@10.99.0.21^M\n\tCSeq: 101 REGISTER^M\n",
		"fault registration-refused(likely)",
	},
	"SIP stack: rejected": {"4711 NOT Nov 21 14:33:00.171483 (618:927) JAVA-SIPCC-SIP_REG_STATE: 1/0: registration rejected by 10.20.0.5\n", "fault registration-refused(likely)"},
	"SIP stack: alone":    {"SIPCC-SIP_REG: sip_regmgr_on_transport_cucm_connecting_failed: [1] cucm connecting failed!\n", "fault registration-unreachable(likely)"},

	"a call that was not heard": {
		"2121 NOT Nov 21 14:33:18.701225 ms-MS.statm_printDecoderStats[A:17] \n\t[Rx Count=0][Rx Lost=0][Pkts Discarded=0][Rx Octets=0]\n" +
			"2124 NOT Nov 21 14:33:18.701897 ms-MS.statm_printEncoderStats[A:17] \n\t[Tx Count=514][TX Octets=82240]\n", "fault one-way-audio(likely)",
	},
	"a stream's page":            {"Stream Status  Active\nSender Packets 514\nSender Octets 82240\nRcvr Lost Packets 0\nRcvr Packets 0\nRcvr Octets 0\n", "fault one-way-audio(likely)"},
	"a stream's page, in a file": {"<html><table><tr><td><b>Sender Packets</b></td><td>514</td></tr><tr><td>Receiver packets</td><td>0</td></tr></table></html>\n", "fault one-way-audio(likely)"},
	"a stream's page, copied":    {"Sender packets\n514\nReceiver packets\n511\n", "ok"},
	"a picture that was not seen": {
		"2121 NOT Nov 21 14:33:18.701225 ms-MS.statm_printDecoderStats[V:18] \n\t[Rx Count=0][Rx Lost=0]\n" +
			"2124 NOT Nov 21 14:33:18.701897 ms-MS.statm_printEncoderStats[V:18] \n\t[Tx Count=514][TX Octets=82240]\n", "insufficient",
	},
}

// sipTalk is a registration and its answer.
func sipTalk(agent, answer string) string {
	fields := "\nTo: <sip:221@10.20.0.5>\nCall-ID: b@10.99.0.64\nCSeq: 103 REGISTER\n"
	return "REGISTER sip:10.20.0.5 SIP/2.0" + fields + "User-Agent: " + agent + "\n\nSIP/2.0 " + answer + fields + "\n"
}

// tlsFails is what Asterisk says of TLS that does not come up.
func tlsFails(reason, peer string) string {
	return "[2026-11-18 07:44:12] WARNING[40122] pjproject: <?>: SSL SSL_ERROR_SSL (Handshake): Level: 0 err: <167772418> <error:0A000102:SSL routines::" + reason + "> len: 0 peer: " + peer + "\n"
}

const (
	tableLacks  = "[2026-11-20 09:28:40] NOTICE[5403]: sccp_device.c:3355 __sccp_device_find_realtime:     -- SCCP: Device 'SEP00005E005301' not found in realtime table 'sccpdeviceconfig'\n"
	homeContact = "[2026-11-17 18:02:10] VERBOSE[901] res_pjsip_registrar.c: Added contact 'sip:2031@192.168.178.44:5060;transport=udp' to AOR '2031' with expiration of 3600 seconds\n" +
		"[2026-11-17 18:02:16] VERBOSE[880] res_pjsip/pjsip_options.c: Contact 2031/sip:2031@192.168.178.44:5060;transport=udp is now Unreachable.  RTT: 0.000 msec\n"
)

func TestOffice(t *testing.T) {
	t.Parallel()
	for name, test := range ofOffice {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := judgedText(t, test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestOfficeCut cuts the texts at every length. What is well as a whole must not be called broken for being cut, except where
// its end takes something back.
func TestOfficeCut(t *testing.T) {
	t.Parallel()
	for name, test := range ofOffice {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := range len(test.text) {
				got := judgedText(t, test.text[:n])
				if test.want == "ok" && !strings.HasSuffix(name, ", then well") && got != "ok" && got != "insufficient" {
					t.Fatalf("cut at %d: %s", n, got)
				}
			}
		})
	}
}
