package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"tidemark/internal/fault"
)

// A Draft is what a new configuration file of one source is made from. It can
// be read from a file of answers, in which secrets may stand in clear: they do
// not get into the configuration.
type Draft struct {
	Customer  string `yaml:"customer"`
	URL       string `yaml:"url"` // of the cloud
	AllowHTTP bool   `yaml:"allow_http"`
	Key       Secret `yaml:"key"`  // of the customer
	Code      Secret `yaml:"code"` // enrolment code, instead of customer and key
	CloudCA   string `yaml:"cloud_ca" path:"any"`
	Proxy     Secret `yaml:"proxy"`

	StateDir string `yaml:"state_dir" path:"any"`

	Server                 string   `yaml:"server"`
	Port                   int      `yaml:"port" range:"1..65535"`
	Instance               string   `yaml:"instance"`
	Database               string   `yaml:"database"`
	Authentication         string   `yaml:"authentication" enum:"sql,windows,kerberos,entra"`
	User                   string   `yaml:"user"`
	Password               Secret   `yaml:"password"`
	Kerberos               Kerberos `yaml:"kerberos"`
	Entra                  Entra    `yaml:"entra"`
	Encrypt                string   `yaml:"encrypt" enum:"strict,true,login,off"`
	TrustServerCertificate bool     `yaml:"trust_server_certificate"`
	CA                     string   `yaml:"ca" path:"any"`

	Tables []string `yaml:"tables"` // names or patterns; none: all that can be synced
}

// A DraftTable is one line of the list of tables: one to sync, or one that is
// named in a comment alone.
type DraftTable struct {
	Name TableName
	Off  bool
	Note string
}

// ParseDraft reads a file of answers. What is wrong with it is Problems.
func ParseDraft(path string, text []byte) (*Draft, error) {
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fault.New("read the answers", err, "")
	}
	d := newDecoder(path, dir, text)
	root, problem := d.parse(text)
	if problem != nil {
		return nil, Problems{*problem}
	}
	var draft Draft
	d.value("", root, spot{1, 1, 1}, reflectOf(&draft), "")
	if len(d.problems) > 0 {
		return nil, d.sorted()
	}
	return &draft, nil
}

func newDecoder(path, dir string, text []byte) *decoder {
	return &decoder{
		file: newFile(path, text), dir: dir,
		anchors: map[string]ast.Node{}, at: map[string]spot{}, keys: map[string]spot{}, mistyped: map[string]bool{},
		named: map[string][]int{}, patterns: map[string][]int{},
	}
}

// sorted returns the problems in the file's order.
func (d *decoder) sorted() Problems {
	for i := range d.problems { // what was hidden later is hidden everywhere
		p := &d.problems[i]
		*p = d.file.problem(spot{p.Line, p.Column, p.width}, *p)
	}
	slices.SortStableFunc(d.problems, func(a, b Problem) int {
		return (a.Line-b.Line)*10_000 + a.Column - b.Column
	})
	return d.problems
}

// Lasting returns the secret's text where it may stand in another file: when
// it refers to the secret store and to the environment alone. Otherwise it is
// "".
func (s Secret) Lasting() string {
	if s.get == nil || s.literal() || s.get().file != "" || strings.Contains(s.get().text, "${file:") {
		return ""
	}
	return s.get().text
}

// File is the configuration file. key, password and proxy are what stands in it
// for the secrets: references.
func (d Draft) File(key, password, proxy string, tables []DraftTable) []byte {
	var b strings.Builder
	b.WriteString(`# yaml-language-server: $schema=tidemark.schema.json
#
# Made by ` + "`tidemark init`. `tidemark config example`" + ` prints a file that explains all
# that can be said here, ` + "`tidemark config check`" + ` shows the mistakes in this one.
# The service reads it again when it changes.

`)
	line := func(indent int, name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%*s%s: %s\n", indent, "", name, value)
		}
	}
	yes := map[bool]string{true: "true"}
	line(0, "customer", yamlText(d.Customer))
	b.WriteString("\ncloud:\n")
	line(2, "url", yamlText(d.URL))
	line(2, "allow_http", yes[d.AllowHTTP])
	line(2, "key", yamlText(key))
	line(2, "ca", yamlText(d.CloudCA))
	line(2, "proxy", yamlText(proxy))
	if d.StateDir != "" {
		b.WriteByte('\n')
		line(0, "state_dir", yamlText(d.StateDir))
	}
	b.WriteString(`
# How often tables are looked at, and when rows may move.
defaults:
  interval: 1m
  # windows: ["mon-fri 20:00-06:00"]

source:
`)
	line(2, "server", yamlText(d.Server))
	if d.Port != 0 {
		line(2, "port", strconv.Itoa(d.Port))
	}
	line(2, "instance", yamlText(d.Instance))
	line(2, "database", yamlText(d.Database))
	line(2, "authentication", d.Authentication)
	line(2, "user", yamlText(d.User))
	line(2, "password", yamlText(password))
	if k := d.Kerberos; k != (Kerberos{}) {
		b.WriteString("  kerberos:\n")
		line(4, "config", yamlText(k.Config))
		line(4, "keytab", yamlText(k.Keytab))
		line(4, "cache", yamlText(k.Cache))
		line(4, "realm", yamlText(k.Realm))
	}
	if e := d.Entra; e != (Entra{}) {
		b.WriteString("  entra:\n")
		line(4, "method", yamlText(e.Method))
		line(4, "certificate", yamlText(e.Certificate))
	}
	line(2, "encrypt", yamlText(d.Encrypt))
	line(2, "trust_server_certificate", yes[d.TrustServerCertificate])
	line(2, "ca", yamlText(d.CA))
	b.WriteString("  tables:\n")
	for _, t := range tables {
		text := "- " + yamlText(t.Name.String())
		if t.Off {
			text = "# " + text
		}
		if note := strings.Join(strings.Fields(t.Note), " "); note != "" {
			text = fmt.Sprintf("%-30s # %s", text, note)
		}
		b.WriteString("    " + text + "\n")
	}
	return []byte(b.String())
}

// What YAML takes for text without quotes, and people too.
var (
	plainText      = regexp.MustCompile(`^(https?://[A-Za-z0-9._-]+(:[0-9]+)?[a-z/]*|[A-Za-z_/][A-Za-z0-9_./-]*)$`)
	wholeReference = regexp.MustCompile(`^\$\{(secret|env|file):[A-Za-z0-9_./-]+\}$`)
)

// yamlText writes text as YAML, "" as nothing.
func yamlText(text string) string {
	switch strings.ToLower(text) {
	case "":
		return ""
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n": // booleans to some
		return strconv.Quote(text)
	}
	if plainText.MatchString(text) || wholeReference.MatchString(text) {
		return text
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f || r == 0x85 || r == 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
