package nearest

import "testing"

func TestWord(t *testing.T) {
	t.Parallel()
	kinds := []string{"VPNGateway", "VPNGroup", "VPNProfile", "Line"}
	for word, want := range map[string]string{
		"VPNGatway":  "VPNGateway",
		"vpngateway": "VPNGateway",
		"VPNGruop":   "VPNGroup",
		"Lien":       "Line",
		"Phone":      "",
		"":           "",
		"x":          "",
	} {
		if got := Word(word, kinds); got != want {
			t.Errorf("Word(%q) = %q, want %q", word, got, want)
		}
	}
}
