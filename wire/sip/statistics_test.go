package sip

import (
	"reflect"
	"testing"
	"time"
)

func TestRTPStatBothWays(t *testing.T) {
	t.Parallel()
	rx := RTPStat{
		Duration: 12 * time.Second, Packets: 600, Octets: 96000, Late: 2, Lost: 3, AvgJitter: 1.25,
		Metrics: Params{{Name: "MLQK", Value: "4.5000"}, {Name: "CCR", Value: "0.0017"}},
	}
	want := `Dur=12,Pkt=600,Oct=96000,LatePkt=2,LostPkt=3,AvgJit=1.25,VQMetrics="MLQK=4.5000;CCR=0.0017"`
	if got := rx.Received(); got != want {
		t.Errorf("written as %s, want %s", got, want)
	}
	if got, err := ParseRTPStat(want); err != nil || !reflect.DeepEqual(got, rx) {
		t.Errorf("read back as %+v (%v), want %+v", got, err, rx)
	}
	tx := RTPStat{Duration: 12 * time.Second, Packets: 600, Octets: 96000}
	if got, want := tx.Sent(), `Dur=12,Pkt=600,Oct=96000`; got != want {
		t.Errorf("written as %s, want %s", got, want)
	}
}

func TestRTPStatLenient(t *testing.T) {
	t.Parallel()
	s, err := ParseRTPStat(`dur=3, PKT=150,oct=x,LOSTPKT=-4,AvgJit=,Other=1,vqmetrics="MLQK=4.1;VoRxCodec=G.711 u-law, 20ms"`)
	if err != nil || s.Packets != 150 || s.Lost != 0 || s.Octets != 0 || s.Metrics.Get("VoRxCodec") != "G.711 u-law, 20ms" {
		t.Errorf("read as %+v (%v)", s, err)
	}
	for _, text := range []string{"", "Other=1", `"`} {
		if s, err := ParseRTPStat(text); err == nil {
			t.Errorf("%q taken for %+v", text, s)
		}
	}
}

func FuzzRTPStat(f *testing.F) {
	f.Add(`Dur=12,Pkt=600,Oct=96000,LatePkt=2,LostPkt=3,AvgJit=1.25,VQMetrics="MLQK=4.5000;CCR=0.0017"`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseRTPStat(text)
		if err != nil {
			return
		}
		again, err := ParseRTPStat(s.Received())
		if err != nil || again.Packets != s.Packets || again.Lost != s.Lost || again.Duration != s.Duration {
			t.Fatalf("%q: %+v read back as %+v (%v)", text, s, again, err)
		}
	})
}
