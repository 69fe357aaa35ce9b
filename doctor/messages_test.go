package doctor_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/judge"
	"github.com/longcord/longcord/doctor/read"
	"github.com/longcord/longcord/finding"
)

// TestMessages pastes each message that heads a finding's page, and nothing else: the finding must come out.
func TestMessages(t *testing.T) {
	t.Parallel()
	for _, d := range finding.All() {
		for _, message := range d.Messages {
			collector := fact.NewCollector("test", "pasted")
			err := read.Input(t.Context(), collector, "-", strings.NewReader(message+"\n"), read.Options{Now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)})
			if err != nil {
				t.Fatal(err)
			}
			report := judge.Facts(collector.File(), "test")
			if !slices.ContainsFunc(report.Findings, func(f finding.Finding) bool { return f.Code == d.Code }) {
				t.Errorf("%s: the message %q leads to %v", d.Code, message, report.Findings)
			}
		}
	}
}

// TestRules makes sure that every finding that the doctor promises has a rule.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, code := range promised {
		if _, ok := finding.Lookup(code); !ok {
			t.Errorf("%s is not declared", code)
		}
		if !judge.Found(code) {
			t.Errorf("no rule finds %s", code)
		}
	}
}

var promised = []string{
	"address-changed",
	"address-pool-exhausted",
	"alternate-tftp-not-set",
	"anyconnect-image-missing",
	"asa-version",
	"backup-missing",
	"capf-untrusted",
	"certificate-expired",
	"certificate-hash-mismatch",
	"certificate-hash-of-wrong-certificate",
	"certificate-not-yet-valid",
	"client-certificate-expired",
	"client-certificate-untrusted",
	"client-dialect",
	"clock-wrong",
	"config-change-not-taken",
	"config-invalid",
	"credential-characters",
	"cucm-version",
	"dead-peer",
	"default-webvpn-group",
	"dtls-blocked",
	"dtls-cipher-mismatch",
	"dtls-disabled",
	"essentials-license",
	"foreign-tftp-server",
	"foreign-trust-list",
	"forwarding-off",
	"gateway-name-unresolved",
	"gateway-unreachable",
	"group-url-mismatch",
	"home-network-overlaps",
	"host-id-mismatch",
	"idle-timeout",
	"legacy-in-use",
	"license-missing",
	"load-missing",
	"load-too-old",
	"login-banned",
	"login-refused",
	"model-without-vpn",
	"mpp-firmware",
	"mtu",
	"nat-in-the-way",
	"network-detection-unreliable",
	"no-route-to-pool",
	"no-spare-certificate",
	"one-way-audio",
	"pool-overlaps",
	"port-taken",
	"registration-acl",
	"registration-refused",
	"registration-unreachable",
	"second-tftp-answers",
	"session-limit",
	"session-timeout",
	"split-tunnel",
	"tftp-file-missing",
	"tftp-unreachable",
	"tls-cipher",
	"tls-version",
	"trust-list-mismatch",
	"tvs-unreachable",
	"vpn-not-configured",
	"vpn-not-enabled-on-interface",
	"vpn-not-restarted",
	"web-access-off",
}
