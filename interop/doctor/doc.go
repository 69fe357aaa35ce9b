// Package doctor has `longcord doctor --as` walk up to gateways that are not ours, healthy ones and broken ones, and
// to an office of ours: what is broken must be named, and of what is healthy nothing may be said.
package doctor
