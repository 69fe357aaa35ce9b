package phonexml

import "fmt"

// FeaturePolicy says which features 8961, 9951 and 9971 offer.
type FeaturePolicy struct {
	Name         string    `xml:"name,attr,omitempty"`
	VersionStamp string    `xml:"versionStamp,omitempty"`
	Features     []Feature `xml:"featureDef"`
	Rest
}

// Feature is one feature of a policy.
type Feature struct {
	Name   string `xml:"name,attr"`
	ID     Number `xml:"id"`
	Enable Truth  `xml:"enable"`
	Rest
}

// KnownFeatures are the features with their published numbers, in that order from 1 on.
func KnownFeatures() []string {
	return []string{
		"Forward All", "Park", "Divert (Alerting)", "Conference Details", "Speed Dial", "Call Back", "Redial", "Barge",
		"Divert (Connected)", "Call PickUp", "Other Call PickUp", "Group Call PickUp", "Mobility", "Meet Me",
		"Quality Reporting Tool", "Malicious Caller ID",
	}
}

func (*FeaturePolicy) root() string { return "featurePolicy" }

// String describes the file on one line.
func (p *FeaturePolicy) String() string {
	return fmt.Sprintf("feature policy %q stamp %q, %d features", p.Name, p.VersionStamp, len(p.Features))
}

// RingList is the ring tones that a user may choose from: Ringlist.xml, Ringlist-wb.xml for 78xx and 88xx,
// DistinctiveRingList.xml.
type RingList struct {
	Rings []Ring `xml:"Ring"`
	Rest
}

// Ring is one tone.
type Ring struct {
	DisplayName string `xml:"DisplayName"` // at most MaxRingName characters
	FileName    string `xml:"FileName"`    // .raw, or .rwb for wideband; at most MaxRingName characters
	Rest
}

// MaxRingName is the most characters of a ring's names.
const MaxRingName = 25

func (*RingList) root() string { return "CiscoIPPhoneRingList" }

// String describes the file on one line.
func (l *RingList) String() string { return fmt.Sprintf("ring list, %d rings", len(l.Rings)) }

// ImageList is the backgrounds that a user may choose from: Desktops/…/List.xml.
type ImageList struct {
	Images []Image `xml:"ImageItem"`
	Rest
}

// Image is one background: TFTP:Desktops/… and the file, for the picture and for its preview.
type Image struct {
	Preview string `xml:"Image,attr"`
	URL     string `xml:"URL,attr"`
	Rest
}

func (*ImageList) root() string { return "CiscoIPPhoneImageList" }

// String describes the file on one line.
func (l *ImageList) String() string { return fmt.Sprintf("image list, %d images", len(l.Images)) }
