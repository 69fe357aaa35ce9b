package sccp

// known makes every message that has a type, by its number.
var known = map[ID]func() Message{
	0x0000: func() Message { return new(KeepAliveReq) },
	0x0001: func() Message { return new(RegisterReq) },
	0x0003: func() Message { return new(KeypadButton) },
	0x0004: func() Message { return new(EnblocCall) },
	0x0005: func() Message { return new(Stimulus) },
	0x0006: func() Message { return new(OffHook) },
	0x0007: func() Message { return new(OnHook) },
	0x0009: func() Message { return new(ForwardStatReq) },
	0x000a: func() Message { return new(SpeedDialStatReq) },
	0x000b: func() Message { return new(LineStatReq) },
	0x000c: func() Message { return new(ConfigStatReq) },
	0x000d: func() Message { return new(TimeDateReq) },
	0x000e: func() Message { return new(ButtonTemplateReq) },
	0x000f: func() Message { return new(VersionReq) },
	0x0010: func() Message { return new(CapabilitiesRes) },
	0x0012: func() Message { return new(ServerReq) },
	0x0020: func() Message { return new(Alarm) },
	0x0025: func() Message { return new(SoftKeySetReq) },
	0x0026: func() Message { return new(SoftKeyEvent) },
	0x0027: func() Message { return new(UnregisterReq) },
	0x0028: func() Message { return new(SoftKeyTemplateReq) },
	0x0029: func() Message { return new(RegisterTokenReq) },
	0x002d: func() Message { return new(RegisterAvailableLines) },
	0x0033: func() Message { return new(ServiceURLStatReq) },
	0x0034: func() Message { return new(FeatureStatReq) },
	0x0081: func() Message { return new(RegisterAck) },
	0x0082: func() Message { return new(StartTone) },
	0x0083: func() Message { return new(StopTone) },
	0x0090: func() Message { return new(ForwardStat) },
	0x0091: func() Message { return new(SpeedDialStat) },
	0x0092: func() Message { return new(LineStat) },
	0x0093: func() Message { return new(ConfigStat) },
	0x0094: func() Message { return new(TimeDate) },
	0x0097: func() Message { return new(ButtonTemplate) },
	0x0098: func() Message { return new(VersionRes) },
	0x009b: func() Message { return new(CapabilitiesReq) },
	0x009d: func() Message { return new(RegisterReject) },
	0x009e: func() Message { return new(ServerRes) },
	0x009f: func() Message { return new(Reset) },
	0x0100: func() Message { return new(KeepAliveAck) },
	0x0108: func() Message { return new(SoftKeyTemplate) },
	0x0109: func() Message { return new(SoftKeySets) },
	0x0110: func() Message { return new(SelectSoftKeys) },
	0x0112: func() Message { return new(DisplayPromptStatus) },
	0x0113: func() Message { return new(ClearPromptStatus) },
	0x0118: func() Message { return new(UnregisterAck) },
	0x011a: func() Message { return new(RegisterTokenAck) },
	0x011b: func() Message { return new(RegisterTokenReject) },
	0x011f: func() Message { return new(FeatureStat) },
	0x012f: func() Message { return new(ServiceURLStat) },
	0x0145: func() Message { return new(DynamicDisplayPromptStatus) },
	0x0146: func() Message { return new(DynamicFeatureStat) },
	0x0147: func() Message { return new(DynamicLineStat) },
	0x0148: func() Message { return new(DynamicServiceURLStat) },
	0x0149: func() Message { return new(DynamicSpeedDialStat) },
}

// The number of each message.

// ID returns 0x0000.
func (*KeepAliveReq) ID() ID { return 0x0000 }

// ID returns 0x0001.
func (*RegisterReq) ID() ID { return 0x0001 }

// ID returns 0x0003.
func (*KeypadButton) ID() ID { return 0x0003 }

// ID returns 0x0004.
func (*EnblocCall) ID() ID { return 0x0004 }

// ID returns 0x0005.
func (*Stimulus) ID() ID { return 0x0005 }

// ID returns 0x0006.
func (*OffHook) ID() ID { return 0x0006 }

// ID returns 0x0007.
func (*OnHook) ID() ID { return 0x0007 }

// ID returns 0x0009.
func (*ForwardStatReq) ID() ID { return 0x0009 }

// ID returns 0x000a.
func (*SpeedDialStatReq) ID() ID { return 0x000a }

// ID returns 0x000b.
func (*LineStatReq) ID() ID { return 0x000b }

// ID returns 0x000c.
func (*ConfigStatReq) ID() ID { return 0x000c }

// ID returns 0x000d.
func (*TimeDateReq) ID() ID { return 0x000d }

// ID returns 0x000e.
func (*ButtonTemplateReq) ID() ID { return 0x000e }

// ID returns 0x000f.
func (*VersionReq) ID() ID { return 0x000f }

// ID returns 0x0010.
func (*CapabilitiesRes) ID() ID { return 0x0010 }

// ID returns 0x0012.
func (*ServerReq) ID() ID { return 0x0012 }

// ID returns 0x0020.
func (*Alarm) ID() ID { return 0x0020 }

// ID returns 0x0025.
func (*SoftKeySetReq) ID() ID { return 0x0025 }

// ID returns 0x0026.
func (*SoftKeyEvent) ID() ID { return 0x0026 }

// ID returns 0x0027.
func (*UnregisterReq) ID() ID { return 0x0027 }

// ID returns 0x0028.
func (*SoftKeyTemplateReq) ID() ID { return 0x0028 }

// ID returns 0x0029.
func (*RegisterTokenReq) ID() ID { return 0x0029 }

// ID returns 0x002d.
func (*RegisterAvailableLines) ID() ID { return 0x002d }

// ID returns 0x0033.
func (*ServiceURLStatReq) ID() ID { return 0x0033 }

// ID returns 0x0034.
func (*FeatureStatReq) ID() ID { return 0x0034 }

// ID returns 0x0081.
func (*RegisterAck) ID() ID { return 0x0081 }

// ID returns 0x0082.
func (*StartTone) ID() ID { return 0x0082 }

// ID returns 0x0083.
func (*StopTone) ID() ID { return 0x0083 }

// ID returns 0x0090.
func (*ForwardStat) ID() ID { return 0x0090 }

// ID returns 0x0091.
func (*SpeedDialStat) ID() ID { return 0x0091 }

// ID returns 0x0092.
func (*LineStat) ID() ID { return 0x0092 }

// ID returns 0x0093.
func (*ConfigStat) ID() ID { return 0x0093 }

// ID returns 0x0094.
func (*TimeDate) ID() ID { return 0x0094 }

// ID returns 0x0097.
func (*ButtonTemplate) ID() ID { return 0x0097 }

// ID returns 0x0098.
func (*VersionRes) ID() ID { return 0x0098 }

// ID returns 0x009b.
func (*CapabilitiesReq) ID() ID { return 0x009b }

// ID returns 0x009d.
func (*RegisterReject) ID() ID { return 0x009d }

// ID returns 0x009e.
func (*ServerRes) ID() ID { return 0x009e }

// ID returns 0x009f.
func (*Reset) ID() ID { return 0x009f }

// ID returns 0x0100.
func (*KeepAliveAck) ID() ID { return 0x0100 }

// ID returns 0x0108.
func (*SoftKeyTemplate) ID() ID { return 0x0108 }

// ID returns 0x0109.
func (*SoftKeySets) ID() ID { return 0x0109 }

// ID returns 0x0110.
func (*SelectSoftKeys) ID() ID { return 0x0110 }

// ID returns 0x0112.
func (*DisplayPromptStatus) ID() ID { return 0x0112 }

// ID returns 0x0113.
func (*ClearPromptStatus) ID() ID { return 0x0113 }

// ID returns 0x0118.
func (*UnregisterAck) ID() ID { return 0x0118 }

// ID returns 0x011a.
func (*RegisterTokenAck) ID() ID { return 0x011a }

// ID returns 0x011b.
func (*RegisterTokenReject) ID() ID { return 0x011b }

// ID returns 0x011f.
func (*FeatureStat) ID() ID { return 0x011f }

// ID returns 0x012f.
func (*ServiceURLStat) ID() ID { return 0x012f }

// ID returns 0x0145.
func (*DynamicDisplayPromptStatus) ID() ID { return 0x0145 }

// ID returns 0x0146.
func (*DynamicFeatureStat) ID() ID { return 0x0146 }

// ID returns 0x0147.
func (*DynamicLineStat) ID() ID { return 0x0147 }

// ID returns 0x0148.
func (*DynamicServiceURLStat) ID() ID { return 0x0148 }

// ID returns 0x0149.
func (*DynamicSpeedDialStat) ID() ID { return 0x0149 }

// Each message on one line.

// String names the fields that are not zero.
func (m *KeepAliveReq) String() string { return line(m) }

// String names the fields that are not zero.
func (m *RegisterReq) String() string { return line(m) }

// String names the fields that are not zero.
func (m *KeypadButton) String() string { return line(m) }

// String names the fields that are not zero.
func (m *EnblocCall) String() string { return line(m) }

// String names the fields that are not zero.
func (m *Stimulus) String() string { return line(m) }

// String names the fields that are not zero.
func (m *OffHook) String() string { return line(m) }

// String names the fields that are not zero.
func (m *OnHook) String() string { return line(m) }

// String names the fields that are not zero.
func (m *ForwardStatReq) String() string { return line(m) }

// String names the fields that are not zero.
func (m *SpeedDialStatReq) String() string { return line(m) }

// String names the fields that are not zero.
func (m *LineStatReq) String() string { return line(m) }

// String names the fields that are not zero.
func (m *ConfigStatReq) String() string { return line(m) }

// String names the fields that are not zero.
func (m *TimeDateReq) String() string { return line(m) }

// String names the fields that are not zero.
func (m *ButtonTemplateReq) String() string { return line(m) }

// String names the fields that are not zero.
func (m *VersionReq) String() string { return line(m) }

// String names the fields that are not zero.
func (m *CapabilitiesRes) String() string { return line(m) }

// String names the fields that are not zero.
func (m *ServerReq) String() string { return line(m) }

// String names the fields that are not zero.
func (m *Alarm) String() string { return line(m) }

// String names the fields that are not zero.
func (m *SoftKeySetReq) String() string { return line(m) }

// String names the fields that are not zero.
func (m *SoftKeyEvent) String() string { return line(m) }

// String names the fields that are not zero.
func (m *UnregisterReq) String() string { return line(m) }

// String names the fields that are not zero.
func (m *SoftKeyTemplateReq) String() string { return line(m) }

// String names the fields that are not zero.
func (m *RegisterTokenReq) String() string { return line(m) }

// String names the fields that are not zero.
func (m *RegisterAvailableLines) String() string { return line(m) }

// String names the fields that are not zero.
func (m *ServiceURLStatReq) String() string { return line(m) }

// String names the fields that are not zero.
func (m *FeatureStatReq) String() string { return line(m) }

// String names the fields that are not zero.
func (m *RegisterAck) String() string { return line(m) }

// String names the fields that are not zero.
func (m *StartTone) String() string { return line(m) }

// String names the fields that are not zero.
func (m *StopTone) String() string { return line(m) }

// String names the fields that are not zero.
func (m *ForwardStat) String() string { return line(m) }

// String names the fields that are not zero.
func (m *SpeedDialStat) String() string { return line(m) }

// String names the fields that are not zero.
func (m *LineStat) String() string { return line(m) }

// String names the fields that are not zero.
func (m *ConfigStat) String() string { return line(m) }

// String names the fields that are not zero.
func (m *TimeDate) String() string { return line(m) }

// String names the fields that are not zero.
func (m *ButtonTemplate) String() string { return line(m) }

// String names the fields that are not zero.
func (m *VersionRes) String() string { return line(m) }

// String names the fields that are not zero.
func (m *CapabilitiesReq) String() string { return line(m) }

// String names the fields that are not zero.
func (m *RegisterReject) String() string { return line(m) }

// String names the fields that are not zero.
func (m *ServerRes) String() string { return line(m) }

// String names the fields that are not zero.
func (m *Reset) String() string { return line(m) }

// String names the fields that are not zero.
func (m *KeepAliveAck) String() string { return line(m) }

// String names the fields that are not zero.
func (m *SoftKeyTemplate) String() string { return line(m) }

// String names the fields that are not zero.
func (m *SoftKeySets) String() string { return line(m) }

// String names the fields that are not zero.
func (m *SelectSoftKeys) String() string { return line(m) }

// String names the fields that are not zero.
func (m *DisplayPromptStatus) String() string { return line(m) }

// String names the fields that are not zero.
func (m *ClearPromptStatus) String() string { return line(m) }

// String names the fields that are not zero.
func (m *UnregisterAck) String() string { return line(m) }

// String names the fields that are not zero.
func (m *RegisterTokenAck) String() string { return line(m) }

// String names the fields that are not zero.
func (m *RegisterTokenReject) String() string { return line(m) }

// String names the fields that are not zero.
func (m *FeatureStat) String() string { return line(m) }

// String names the fields that are not zero.
func (m *ServiceURLStat) String() string { return line(m) }

// String names the fields that are not zero.
func (m *DynamicDisplayPromptStatus) String() string { return line(m) }

// String names the fields that are not zero.
func (m *DynamicFeatureStat) String() string { return line(m) }

// String names the fields that are not zero.
func (m *DynamicLineStat) String() string { return line(m) }

// String names the fields that are not zero.
func (m *DynamicServiceURLStat) String() string { return line(m) }

// String names the fields that are not zero.
func (m *DynamicSpeedDialStat) String() string { return line(m) }
