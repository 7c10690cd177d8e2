package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"time"
)

// Where the cloud's package has what.
const (
	cloudUnit     = "tidemark-cloud.service"
	cloudSettings = "/etc/default/tidemark-cloud"
	cloudState    = "/var/lib/tidemark-cloud"
)

// cloud is the life of the cloud API's package, with the store that needs no
// set-up.
func (d *deb) cloud() plan {
	var url string
	return plan{
		{"install the cloud API", func(ctx context.Context) error { return d.installCloud(ctx, d.old) }},
		{"it waits to be enabled", func(ctx context.Context) error {
			if err := d.do(ctx, "systemctl", "is-enabled", cloudUnit); err == nil {
				return errors.New("it is enabled")
			}
			return nil
		}},
		{"a mistake in its settings ends it once", func(ctx context.Context) error {
			if err := d.cloudOptions("--io-volume none"); err != nil {
				return err
			}
			if err := d.do(ctx, "systemctl", "start", cloudUnit); err == nil {
				return errors.New("it starts")
			}
			return d.cloudIs(ctx, "ExecMainStatus", "3")
		}},
		{"it starts, and is ready when systemd says so", func(ctx context.Context) error {
			l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			url = "http://" + l.Addr().String()
			if err := errors.Join(l.Close(), d.cloudOptions("--listen "+l.Addr().String())); err != nil {
				return err
			}
			if err := d.do(ctx, "systemctl", "enable", "--now", cloudUnit); err != nil {
				return err
			}
			return d.do(ctx, "tidemark-cloud", "ready", "--url", url)
		}},
		{"it runs as nobody in particular, and keeps its store to itself", d.cloudConfined},
		{"root's commands and the service share the store", func(ctx context.Context) error {
			if err := d.do(ctx, "tidemark-cloud", "customers", "add", "shop", "--store", "sqlite:"+cloudState+"/cloud.db"); err != nil {
				return err
			}
			if err := d.do(ctx, "systemctl", "restart", cloudUnit); err != nil {
				return err
			}
			return d.do(ctx, "tidemark-cloud", "ready", "--url", url)
		}},
		{"it speaks TLS on a port below 1024, with a key that root hands over", func(ctx context.Context) error {
			if err := d.certificate(ctx); err != nil {
				return err
			}
			url = "https://127.0.0.1:943"
			return errors.Join(d.do(ctx, "systemctl", "restart", cloudUnit), d.do(ctx, "tidemark-cloud", "ready", "--url", url))
		}},
		{"upgrade", func(ctx context.Context) error {
			if err := d.installCloud(ctx, d.new); err != nil {
				return err
			}
			return d.do(ctx, "tidemark-cloud", "ready", "--url", url)
		}},
		{"stop", func(ctx context.Context) error {
			began := time.Now()
			err := d.do(ctx, "systemctl", "stop", cloudUnit)
			if took := time.Since(began); took > 25*time.Second {
				err = errors.Join(err, fmt.Errorf("it took %v", took))
			}
			return errors.Join(err, d.cloudIs(ctx, "ExecMainStatus", "0"))
		}},
		{"purge leaves nothing", func(ctx context.Context) error {
			if err := d.do(ctx, "dpkg", "--purge", "tidemark-cloud"); err != nil {
				return err
			}
			return gone(d, cloudSettings, cloudState, "/var/lib/private/tidemark-cloud", "/usr/bin/tidemark-cloud", "/usr/lib/systemd/system/"+cloudUnit,
				"/etc/systemd/system/multi-user.target.wants/"+cloudUnit)
		}},
	}
}

func (d *deb) installCloud(ctx context.Context, folder string) error {
	file, err := only(folder, "tidemark-cloud_*_amd64.deb")
	if err != nil {
		return err
	}
	if err := d.put(file, "/root/tidemark-cloud.deb"); err != nil {
		return err
	}
	return d.do(ctx, "dpkg", "--force-confold", "--install", "/root/tidemark-cloud.deb")
}

func (d *deb) cloudOptions(options string) error {
	return os.WriteFile(d.path(cloudSettings), []byte("OPTIONS="+options+"\n"), 0o600)
}

// cloudDropIn is what docs/deployment.md says of certificates.
const cloudDropIn = `[Service]
LoadCredential=cert.pem:/etc/tidemark-cloud/cert.pem
LoadCredential=key.pem:/etc/tidemark-cloud/key.pem
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
`

// certificate makes a certificate that root alone can read, and has the
// service use it.
func (d *deb) certificate(ctx context.Context) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	dropIn := "/etc/systemd/system/" + cloudUnit + ".d"
	if err := errors.Join(os.MkdirAll(d.path("/etc/tidemark-cloud"), 0o700), os.MkdirAll(d.path(dropIn), 0o755)); err != nil {
		return err
	}
	credentials := "/run/credentials/" + cloudUnit
	return errors.Join(
		os.WriteFile(d.path("/etc/tidemark-cloud/cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600),
		os.WriteFile(d.path("/etc/tidemark-cloud/key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs}), 0o600),
		os.WriteFile(d.path(dropIn+"/tls.conf"), []byte(cloudDropIn), 0o644),
		d.cloudOptions("--listen 127.0.0.1:943 --tls-cert "+credentials+"/cert.pem --tls-key "+credentials+"/key.pem"),
		d.do(ctx, "systemctl", "daemon-reload"))
}

// cloudIs fails unless a property of the unit has that value.
func (d *deb) cloudIs(ctx context.Context, property, want string) error {
	out, err := d.run(ctx, "", "systemctl", "show", "--value", "--property="+property, cloudUnit)
	if got := strings.TrimSpace(out); err == nil && got != want {
		err = fmt.Errorf("%s is %q, not %q", property, got, want)
	}
	return err
}

func (d *deb) cloudConfined(ctx context.Context) error {
	pid, err := d.run(ctx, "", "systemctl", "show", "--value", "--property=MainPID", cloudUnit)
	if err != nil {
		return err
	}
	status, err := d.run(ctx, "", "cat", "/proc/"+strings.TrimSpace(pid)+"/status")
	if err != nil {
		return err
	}
	for _, want := range []string{"\nCapEff:\t0000000000000000\n", "\nCapBnd:\t0000000000000000\n", "\nNoNewPrivs:\t1\n", "\nSeccomp:\t2\n"} {
		if !strings.Contains(status, want) {
			return fmt.Errorf("no %q in\n%s", want, status)
		}
	}
	if strings.Contains(status, "\nUid:\t0\t") {
		return errors.New("it runs as root")
	}
	mode, err := d.run(ctx, "", "stat", "--format=%a", "/var/lib/private/tidemark-cloud/cloud.db")
	if got := strings.TrimSpace(mode); err == nil && got != "600" {
		err = fmt.Errorf("the store has mode %s", got)
	}
	return err
}
