package inventory

import (
	"maps"
	"slices"
)

// Values of CommonPhoneProfile.SecurityByDefault. Rollback gives phones lists without a file server, so that
// they ask for plain files again; only then can lists be taken away.
const (
	SecurityOff      = "disabled"
	SecurityOn       = "enabled"
	SecurityRollback = "rollback"
)

// Values of CommonPhoneProfile.ClusterSecurityMode.
const (
	NonSecure = "non-secure"
	Mixed     = "mixed"
)

// Values of CommonPhoneProfile.TFTPFileSignatureAlgorithm.
const (
	SHA1   = "SHA-1"
	SHA512 = "SHA-512"
)

// PhoneSecurity is what a phone's files are like.
type PhoneSecurity struct {
	ITL, CTL  bool
	Rollback  bool // the lists name no file server
	Encrypted bool // for phones that have an LSC
	SHA512    bool
	Legacy    bool // the model knows no HTTPS on 6971
}

// SecurityFor returns what the device's common phone profile says of its files.
func (s *Set) SecurityFor(device *Device) PhoneSecurity {
	model, known := ModelByName(device.Model)
	security := PhoneSecurity{Legacy: known && model.Legacy}
	profile, ok := s.CommonPhoneProfiles[device.CommonPhoneProfile]
	if !ok || profile.SecurityByDefault == "" || profile.SecurityByDefault == SecurityOff {
		return security
	}
	security.Rollback = profile.SecurityByDefault == SecurityRollback
	security.ITL, security.CTL = true, profile.ClusterSecurityMode == Mixed
	security.Encrypted = profile.TFTPEncryptedConfig && !security.Rollback
	security.SHA512 = profile.TFTPFileSignatureAlgorithm == SHA512
	return security
}

// SharedSecurity returns what is right for files and lists that carry no phone's name: what every phone of
// the inventory can take. There are shared lists only where every phone gets one.
func (s *Set) SharedSecurity() PhoneSecurity {
	shared := PhoneSecurity{ITL: len(s.Devices) > 0, CTL: len(s.Devices) > 0, SHA512: len(s.Devices) > 0}
	for _, name := range slices.Sorted(maps.Keys(s.Devices)) {
		one := s.SecurityFor(s.Devices[name])
		shared.ITL, shared.CTL = shared.ITL && one.ITL, shared.CTL && one.CTL
		shared.SHA512 = shared.SHA512 && one.SHA512
		shared.Rollback, shared.Legacy = shared.Rollback || one.Rollback, shared.Legacy || one.Legacy
	}
	return shared
}

func (v *validation) signing(o *CommonPhoneProfile) {
	if o.SecurityByDefault != "" {
		oneOf(v, "securityByDefault", o.SecurityByDefault, SecurityOff, SecurityOn, SecurityRollback)
	}
	if o.ClusterSecurityMode != "" {
		oneOf(v, "clusterSecurityMode", o.ClusterSecurityMode, NonSecure, Mixed)
	}
	if o.TFTPFileSignatureAlgorithm != "" {
		oneOf(v, "tftpFileSignatureAlgorithm", o.TFTPFileSignatureAlgorithm, SHA1, SHA512)
	}
	if o.SecurityByDefault != "" && o.SecurityByDefault != SecurityOff {
		return
	}
	const on = "turn signing on first: longcord trust enable --help"
	if o.ClusterSecurityMode == Mixed {
		v.refuse("clusterSecurityMode", on, "a CTL needs securityByDefault")
	}
	if o.TFTPEncryptedConfig {
		v.refuse("tftpEncryptedConfig", on, "phones open encrypted files only with securityByDefault")
	}
}
