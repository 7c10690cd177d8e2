package cloud

// An Operation is one of the API's, its path as http.ServeMux writes patterns.
type Operation struct{ Method, Path string }

// Operations returns all operations of the API: for programs that read its
// traffic, so that there is no second list.
func Operations() (out []Operation) {
	for _, routes := range [][]route{customerRoutes, openRoutes} {
		for _, r := range routes {
			out = append(out, Operation{r.method, r.path})
		}
	}
	return out
}
