package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"tidemark/agent/secrets"
	"tidemark/internal/fault"
)

// maxFile bounds the configuration file.
const maxFile = 4 << 20

// rawConfig is the file as it stands: before sources are put together.
type rawConfig struct {
	Config  `yaml:",inline"`
	Source  ast.Node `yaml:"source"`
	Sources ast.Node `yaml:"sources"`
}

type rawSource struct {
	Source `yaml:",inline"`
	Tables ast.Node `yaml:"tables"`
}

type rawTable struct {
	// Name at the source: orders (schema dbo), sales.orders, in brackets, or a
	// pattern such as dbo.*
	Name  tableWord `yaml:"name"`
	Table `yaml:",inline"`
}

// A tableWord is what stands in the list of tables: a name or a pattern.
type tableWord struct {
	name    TableName
	pattern Pattern
	wild    bool
}

func (w *tableWord) parse(text string) (err error) {
	if w.pattern, err = ParsePattern(text); err != nil {
		return err
	}
	if w.wild = w.pattern.Wild(); w.wild {
		return nil
	}
	return w.name.parse(text)
}

func (*tableWord) expected() string {
	return `a table such as dbo.orders or "[sales].[order details]", or a pattern such as dbo.*`
}

// Load reads and checks the file, and that every file and environment
// variable it refers to is there. What is wrong with the file is Problems; a
// file that cannot be read is a fault.Error.
func Load(path string) (*Config, error) {
	c, err := LoadForView(path)
	if err != nil {
		return nil, err
	}
	return c, c.CheckReferences()
}

// LoadForView reads and checks the file but looks at nothing that it refers
// to: commands that only talk to the running agent may have no right to read
// its secrets.
func LoadForView(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		hint := "name another file with --config or TIDEMARK_CONFIG; `tidemark config example` prints one to begin with"
		if errors.Is(err, os.ErrPermission) {
			hint = "run this as an administrator, or as a member of the group that owns the file"
		}
		return nil, fault.New("read the configuration", err, hint)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s is larger than %s", path, Size(maxFile))
	}
	if err != nil {
		return nil, fault.New("read the configuration", err, "is this the right file?")
	}
	return Parse(path, text)
}

// Parse is LoadForView of a text. path is for messages, and for what
// relative paths are relative to.
func Parse(path string, text []byte) (*Config, error) {
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fault.New("read the configuration", err, "")
	}
	d := newDecoder(path, dir, text)
	root, problem := d.parse(text)
	if problem != nil {
		return nil, Problems{*problem}
	}
	c := d.config(root)
	c.Path, c.file = path, d.file
	check(d, c)
	if len(d.problems) > 0 {
		return nil, d.sorted()
	}
	c.references = append(d.secrets, d.paths...)
	slices.SortStableFunc(c.references, func(a, b located) int { return a.at.line - b.at.line })
	return c, nil
}

// CheckReferences reports every reference to a file or an environment
// variable that leads nowhere, as Problems.
func (c *Config) CheckReferences() error {
	var problems Problems
	for _, l := range c.references {
		_, err := l.secret.Value()
		hint := ""
		if l.file != "" {
			_, err = os.Stat(l.file)
			if err != nil {
				err = fmt.Errorf("the file %s cannot be read: %w", l.file, errors.Unwrap(err))
			}
		} else {
			hint = referenceHint(l.secret, err)
		}
		if err != nil {
			problems = append(problems, c.file.problem(l.at, Problem{
				Field: l.path, Message: fmt.Sprintf("%s: %s", last(l.path), err), Hint: hint,
			}))
		}
	}
	if len(problems) > 0 {
		return problems
	}
	return nil
}

// referenceHint is what helps where a reference leads nowhere.
func referenceHint(s Secret, err error) string {
	switch stored := s.stored(); {
	case errors.Is(err, fs.ErrPermission):
		return "run this as the service's account, or as an administrator"
	case len(stored) > 0 && errors.Is(err, secrets.ErrNone):
		return fmt.Sprintf("`tidemark secret set %s` asks for it and keeps it", stored[0])
	case strings.Contains(s.get().text, "${env:"):
		return "a service has an environment of its own: the shell's variables are not in it"
	}
	return ""
}

// StoredSecrets returns the secrets of the store that the file refers to, and
// for each the fields that do.
func (c *Config) StoredSecrets() map[string][]string {
	all := map[string][]string{}
	for _, l := range c.references {
		for _, name := range l.secret.stored() {
			all[name] = append(all[name], l.path)
		}
	}
	return all
}

// parse returns the file's one mapping, or the one thing that keeps it from
// being read as YAML at all.
func (d *decoder) parse(text []byte) (ast.Node, *Problem) {
	f, err := parser.ParseBytes(text, 0)
	if err != nil {
		d.file.hideBySmell()
		var known yaml.Error
		if !errors.As(err, &known) {
			return nil, &Problem{File: d.file.path, Message: "not YAML"}
		}
		p := d.file.problem(spotOf(known.GetToken()), Problem{Message: "not YAML: " + known.GetMessage()})
		if p.width = 1; strings.Contains(known.GetMessage(), "already defined") {
			p.Message = strings.TrimPrefix(p.Message, "not YAML: ")
		}
		return nil, &p
	}
	var root ast.Node
	for _, doc := range f.Docs {
		if doc.Body == nil {
			continue
		}
		if _, comment := doc.Body.(*ast.CommentGroupNode); comment {
			continue
		}
		if root != nil {
			p := d.file.problem(spotOf(firstToken(doc.Body)), Problem{Message: "a second document begins here", Expected: "one"})
			return nil, &p
		}
		root = doc.Body
	}
	if root == nil {
		return nil, &Problem{File: d.file.path, Message: "the file is empty", Hint: "`tidemark config example` prints one to begin with"}
	}
	if _, ok := entries(root); !ok {
		d.file.hide(spot{line: 1, column: 1}, 0)
		return nil, &Problem{File: d.file.path, Message: "the file is " + kindOf(root), Expected: "a mapping: lines of the form name: value"}
	}
	ast.Walk(d, root)
	return root, nil
}

// defaultConfig is a file that says nothing. Where the state is depends on the
// machine.
func defaultConfig() rawConfig {
	return rawConfig{Config: Config{
		Log:      Log{Level: "info", Format: "text", File: DefaultLogFile(), MaxSize: 10 * MiB, Keep: 3, MaxAge: 30 * 24 * time.Hour},
		Parallel: 2,
		Defaults: DefaultPace(),
	}}
}

// config decodes the file outside in, so that every table begins with its
// source's pace and every source with the defaults.
func (d *decoder) config(root ast.Node) *Config {
	raw := defaultConfig()
	raw.StateDir = DefaultStateDir()
	d.value("", root, spot{1, 1, 1}, reflectOf(&raw), "")
	c := &raw.Config
	c.Log.LevelSet = d.has("log.level")
	d.keyFile(&c.Cloud)
	switch {
	case raw.Source != nil && raw.Sources != nil:
		d.report(d.keys["source"], "source", Problem{
			Message: `there are both "source" and "sources"`, Expected: "one of them", Hint: `several sources all go under "sources"`,
		})
	case raw.Source != nil:
		c.Sources = []Source{d.source("source", raw.Source, c.Defaults)}
		if c.Sources[0].Name == "" {
			c.Sources[0].Name = "main"
		}
	case raw.Sources != nil:
		var nodes []ast.Node
		d.value("sources", raw.Sources, d.keys["sources"], reflectOf(&nodes), "")
		for i, n := range nodes {
			c.Sources = append(c.Sources, d.source(fmt.Sprintf("sources[%d]", i), n, c.Defaults))
		}
	}
	for i := range c.Sources {
		s := &c.Sources[i]
		for j := range s.Tables {
			if t := &s.Tables[j]; t.Dataset == "" && t.Name.Name != "" {
				t.Dataset = c.dataset(s.Name, t.Name)
			}
		}
	}
	return c
}

// keyFile makes key_file the key.
func (d *decoder) keyFile(c *Cloud) {
	if c.KeyFile == "" {
		return
	}
	if d.has("cloud.key") {
		d.reportField("cloud.key_file", Problem{Message: "there are both key and key_file", Expected: "one of them"})
		return
	}
	c.Key = secretOf(reference{file: c.KeyFile})
	d.secrets = append(d.secrets, located{path: "cloud.key_file", at: d.at["cloud.key_file"], secret: c.Key})
}

func (d *decoder) source(path string, n ast.Node, pace Pace) Source {
	raw := rawSource{Source: Source{Encrypt: "true", MultiSubnetFailover: true, Connections: 2, Pace: pace}}
	d.value(path, n, d.keys[path], reflectOf(&raw), "")
	s := raw.Source
	if raw.Tables == nil {
		return s
	}
	var nodes []ast.Node
	list := join(path, "tables")
	d.value(list, raw.Tables, d.keys[list], reflectOf(&nodes), "")
	for i, n := range nodes {
		raw := d.table(fmt.Sprintf("%s[%d]", list, i), n, s.Pace)
		raw.Table.Name = raw.Name.name
		if raw.Name.wild {
			s.Patterns = append(s.Patterns, Group{raw.Name.pattern, raw.Table})
			d.patterns[list] = append(d.patterns[list], i)
		} else {
			s.Tables = append(s.Tables, raw.Table)
			d.named[list] = append(d.named[list], i)
		}
	}
	s.named = len(s.Tables)
	return s
}

// table decodes a name alone, or a mapping with a name.
func (d *decoder) table(path string, n ast.Node, pace Pace) rawTable {
	raw := rawTable{Table: Table{Enabled: true, Pace: pace}}
	if _, isMapping := entries(d.plain(n)); isMapping {
		d.value(path, n, d.keys[path], reflectOf(&raw), "")
	} else {
		d.value(path, n, d.keys[path], reflectOf(&raw.Name), "")
		d.at[join(path, "name")] = d.keys[path]
	}
	return raw
}
