// Package doctor says in one sentence what is wrong with a phone's way to the office, why it thinks so, and what to do.
//
// It has two halves. Collecting makes facts (doctor/fact): from files that people send (doctor/read), from living a
// phone's steps, and from a running system. Judging (doctor/judge) is a pure function from facts to findings.
//
// This package is what people meet of it: the report as text, the questions to ask, and the file to send.
package doctor
