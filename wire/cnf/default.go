package cnf

import (
	"fmt"

	"github.com/beevik/etree"
)

// Default is XMLDefault.cnf.xml: what a phone reads when there is no file of its own.
type Default struct {
	CallManagers []CallManager // by priority
	Loads        []DefaultLoad
	VersionStamp string

	doc *etree.Document
}

// DefaultLoad names the firmware image of one model.
type DefaultLoad struct {
	DeviceType int    // Cisco's number of the model, part of the element's name
	Model      string // such as CP-8861
	Load       string
}

// String describes the file on one line.
func (d *Default) String() string {
	return fmt.Sprintf("default, %d call managers, %d loads", len(d.CallManagers), len(d.Loads))
}
