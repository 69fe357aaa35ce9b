// Package sip reads and writes SIP messages (RFC 3261) and what Cisco's enterprise phones add to them:
// Contact parameters, the restart alarm, call statistics, and the pieces of digest login.
//
// A message is a start line, an ordered list of fields kept as they came, and a body:
//
//	INVITE sip:1002@192.0.2.1 SIP/2.0        Method, URI     or    SIP/2.0 200 OK     Status, Reason
//	Via: SIP/2.0/TCP 192.0.2.9:50057;...     Fields
//	...
//
//	v=0 ...                                  Body
//
// Fields that a reader asks for are parsed then (From, CSeq, Contacts), so what nobody asks for goes
// through unchanged. The cutting of messages is sipgo's parser; nothing of it shows here except in
// Parser and Convert, which exist for package sipnet. Transport, transactions and dialogs are not here.
package sip
