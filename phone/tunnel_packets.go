package phone

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/wire/cstp"
)

// The packet path: nothing here passes through the loop.

// Room around a packet for what either channel puts there.
const (
	packetRoom    = 64 // before: CSTP header, or type byte, nonce and record header
	packetTrailer = 64 // behind: MAC and padding, or tag
)

// openDevice makes the packet device and begins to read from it.
func (t *tunnelRun) openDevice(answer cstp.Answer) bool {
	device, err := t.cfg.openDevice(answer.Prefix(), answer.MTU)
	if err != nil {
		t.failed = fmt.Errorf("phone: tunnel device: %w", err)
		return false
	}
	t.device = device
	if t.cfg.onUp != nil {
		t.cfg.onUp(tunnelInfo{
			Device: device, Address: answer.Prefix(), DNS: answer.DNS, Domain: answer.Domain, MTU: answer.MTU, Answer: answer,
		})
	}
	t.work.Go(t.readDevice)
	return true
}

// readDevice carries the phone's packets to the gateway until the device is closed.
func (t *tunnelRun) readDevice() {
	buf := make([]byte, packetRoom+maxFrame+packetTrailer)
	for {
		n, err := t.device.Read(buf[packetRoom : len(buf)-packetTrailer])
		if err != nil {
			if !errors.Is(err, os.ErrClosed) {
				t.post(func(time.Time) { t.failed = fmt.Errorf("phone: tunnel device: %w", err) })
			}
			return
		}
		t.carry(buf, n)
	}
}

// carry sends the packet of n bytes at buf[packetRoom] on the channel that data takes. While there is
// none it is dropped, as on a cable that is not plugged in.
func (t *tunnelRun) carry(buf []byte, n int) {
	channel, up := t.client.DataChannel()
	if !up {
		return
	}
	t.client.Spoke(channel, time.Now())
	var err error
	if d := t.dtls.Load(); channel == tunnel.DTLS && d != nil {
		err = d.carry(buf, n)
	} else if c := t.cstp.Load(); c != nil {
		frame := buf[packetRoom-cstp.HeaderLen : packetRoom+n]
		cstp.PutHeader(frame, cstp.Data, n)
		_, err = c.conn.Write(frame)
	}
	if err != nil {
		t.log.Log(t.ctx, logging.LevelTrace, "packet not sent", logging.Channel, channel, logging.Err, err)
	}
}

func (d *dtlsChannel) carry(buf []byte, n int) error {
	conn := d.conn.Load()
	if conn == nil {
		return nil
	}
	buf[packetRoom-1] = byte(cstp.Data)
	datagram, err := conn.Seal(buf[packetRoom-1-conn.Headroom():], 1+n)
	if err != nil {
		return err
	}
	_, err = d.udp.Write(datagram)
	return err
}

// deliver hands a packet from the gateway to the host. What the host does not take is dropped: an inner
// protocol that minds sends it again.
func (t *tunnelRun) deliver(c tunnel.Channel, packet []byte) {
	t.client.Heard(c, time.Now())
	if _, err := t.device.Write(packet); err != nil {
		t.log.Log(t.ctx, logging.LevelTrace, "packet not delivered", logging.Channel, c, logging.Err, err)
	}
}
