package fact

// PhonePage: a phone's own web page; any of alternate (yes, no), tftp1, tftp2, dhcp-server, router, ip, ctl, itl, signature
// (of the ITL, hex), web-access, call-managers (by comma).
const PhonePage Kind = "phone.page"
