// Package docs holds the pages that explain findings, so that the program can show them where it runs.
package docs

import "embed"

// Errors are the pages of docs/errors: errors/CODE.md.
//
//go:embed errors/*.md
var Errors embed.FS
