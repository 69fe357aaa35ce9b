package provision

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// Names of the files that phones ask for. The device name stands between prefix and suffix.
const (
	configSuffix = ".cnf.xml"
	DefaultFile  = "XMLDefault.cnf.xml"
)

var (
	// ErrNotFound: there is no file of this name. Say so at once; phones wait on silence.
	ErrNotFound = errors.New("provision: no such file")
	// ErrName: the name tries to leave the folder or is no name at all. Refuse it like ErrNotFound.
	ErrName = errors.New("provision: not a file name")
)

// maxName bounds a file name, in bytes; a TFTP request holds no more.
const maxName = 512

// Clean returns a requested name as a relative path with slashes. Leading slashes and backslashes, which
// some loads send, are taken off or turned. A name that points out of the folder is refused with ErrName.
func Clean(name string) (string, error) {
	clean := strings.TrimLeft(strings.ReplaceAll(name, `\`, "/"), "/")
	if len(name) > maxName || !fs.ValidPath(clean) || clean == "." || strings.ContainsFunc(clean, isControl) {
		return "", fmt.Errorf("%w: %.100q", ErrName, name)
	}
	return clean, nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

var deviceName = regexp.MustCompile(`(?i)SEP[0-9A-F]{12}`)

// DeviceIn returns the device name that a file name holds, in upper case, or nothing.
func DeviceIn(name string) string {
	return strings.ToUpper(deviceName.FindString(name))
}

// ConfigFile returns the name of a device's configuration file.
func ConfigFile(device string) string { return device + configSuffix }

// configOf returns the device whose configuration file has this name, in any letter case.
func configOf(name string) (device string, ok bool) {
	device = DeviceIn(name)
	return device, device != "" && strings.EqualFold(name, ConfigFile(device))
}

// IsConfig reports whether a name is that of some device's configuration file.
func IsConfig(name string) bool {
	_, ok := configOf(name)
	return ok
}
