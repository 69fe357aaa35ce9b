// Package phone is a whole phone in software. It lives the steps of package stage in order, one file a
// step: it fetches its files, finds out whether it is inside, connects to the gateway, checks it and
// logs in, brings up the tunnel, registers and makes calls. What it keeps survives power cycles.
package phone
