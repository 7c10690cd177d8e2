package config

import "time"

// A Config is the configuration of one site, complete: defaults are filled
// in, paths are absolute and every table has its dataset name and its pace.
type Config struct {
	Path string `yaml:"-"` // the file that it was read from

	Customer string `yaml:"customer"` // the tenant, as the cloud's operator named it
	Cloud    Cloud  `yaml:"cloud"`

	// HashKey is the key of hash_columns, a secret of at least 16 characters.
	// With another one all values become others.
	HashKey Secret `yaml:"hash_key"`

	// StateDir holds the state file, the quarantine and the control socket.
	StateDir string `yaml:"state_dir" path:"any"`
	Log      Log    `yaml:"log"`

	Metrics Metrics `yaml:"metrics"`
	UI      UI      `yaml:"ui"`

	// Parallel is how many tables move at the same time, over all sources.
	// Memory grows by about two batches (limits.batch_bytes) for each.
	Parallel int `yaml:"parallel" range:"1..16"`

	Defaults Pace     `yaml:"defaults"`
	Sources  []Source `yaml:"-"` // at least one

	references []located
	file       *file
}

// Cloud is how the cloud API is reached.
type Cloud struct {
	URL       string `yaml:"url"`                 // without the /v1
	Key       Secret `yaml:"key"`                 // bearer key of the customer
	KeyFile   string `yaml:"key_file" path:"any"` // the file that holds the key, instead of key
	AllowHTTP bool   `yaml:"allow_http"`          // http:// to another machine: the key travels readable

	CA         string `yaml:"ca" path:"file"`          // PEM certificates to trust besides the system's
	ClientCert string `yaml:"client_cert" path:"file"` // PEM, together with ClientKey
	ClientKey  string `yaml:"client_key" path:"file"`  // PEM
	Pin        string `yaml:"pin"`                     // SHA-256 of the server certificate, 64 hexadecimal digits
	// Pins are SHA-256 of the SubjectPublicKeyInfo of keys, of the server's or of
	// an authority's over it: "sha256/" and base 64. One of pin and pins must
	// match, besides a valid chain.
	Pins []string `yaml:"pins"`

	// Proxy is "system" (environment), "none", or an http, https or socks5
	// URL, which may hold references.
	Proxy Secret `yaml:"proxy"`
	// Bandwidth limits bodies sent, in bytes per second over all tables;
	// 0 is without limit.
	Bandwidth Size `yaml:"bandwidth" range:"0..1GiB"`
}

// Log is where the agent's log goes.
type Log struct {
	Level string `yaml:"level" enum:"debug,info,warn,error"` // and what is worse
	// LevelSet tells that the file says so, be it what is the default anyway.
	LevelSet bool   `yaml:"-"`
	Format   string `yaml:"format" enum:"text,json"` // of the lines
	// File is the file that the log goes to; "" is standard error, which a
	// service manager on Linux collects.
	File    string `yaml:"file" path:"any"`
	MaxSize Size   `yaml:"max_size" range:"64KiB..1GiB"` // of one file
	Keep    int    `yaml:"keep" range:"0..100"`          // older files beside it
	// MaxAge is when a file is closed although it is small, and how long it is
	// kept from then on.
	MaxAge time.Duration `yaml:"max_age" range:"1h..8760h"`
}

// Metrics are numbers for Prometheus.
type Metrics struct {
	Listen string `yaml:"listen"` // host:port to answer on; "" is not at all
}

// UI is the local page.
type UI struct {
	Listen string `yaml:"listen"` // host:port of this machine alone to answer on; "" is not at all
}

// StoredKey is the name under which the secret store has the key, "" when it
// comes from elsewhere.
func (c Cloud) StoredKey() string {
	if names := c.Key.stored(); len(names) == 1 && c.Key.get().text == "${secret:"+names[0]+"}" {
		return names[0]
	}
	return ""
}

// Table returns the table of that dataset, or nil.
func (c *Config) Table(dataset string) *Table {
	for i := range c.Sources {
		for j := range c.Sources[i].Tables {
			if t := &c.Sources[i].Tables[j]; t.Dataset == dataset {
				return t
			}
		}
	}
	return nil
}
