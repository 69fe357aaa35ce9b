// Package provision decides which files a phone gets and how they travel: what the file server renders
// for a name, in which order a phone asks which server, and both ends of a TFTP transfer.
//
// Server side: Clean makes a requested name safe, Renderer.File answers it from the inventory, Sender
// sends a file by TFTP. Phone side: Boot says what to ask next, Receiver receives a file by TFTP, Usable
// judges what came.
//
// For a phone that was never inside: Starter renders its first file, and Door says who may have it from outside.
//
// Nothing here opens a file or a socket; times are arguments.
package provision
