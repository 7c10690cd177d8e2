package fleet

import (
	"html/template"
	"io/fs"
	"path"
)

// parse reads the templates: each view with the layout. html/template escapes
// what is put in by where it stands.
func parse() map[string]*template.Template {
	layout := template.Must(template.New("layout.html").Funcs(template.FuncMap{
		"ago": ago, "brief": brief, "clock": clock, "count": count, "duration": duration, "outcome": outcome, "size": size,
	}).ParseFS(templates, "templates/layout.html"))
	names, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		panic(err) // they are embedded
	}
	views := map[string]*template.Template{}
	for _, name := range names {
		if base := path.Base(name); base != "layout.html" {
			views[base] = template.Must(template.Must(layout.Clone()).ParseFS(templates, name))
		}
	}
	return views
}
