package tsql

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokEOF    tokenKind = iota
	tokIdent            // identifier or keyword
	tokVar              // @name
	tokGlobal           // @@name
	tokInt
	tokDecimal
	tokFloat
	tokString  // '...'
	tokNString // N'...'
	tokBinary  // 0x...
	tokOp
)

type token struct {
	kind   tokenKind
	text   string // identifiers without their brackets, strings without their quotes
	upper  string // upper case of an unquoted identifier
	quoted bool   // [x] or "x": never a keyword
}

// lex splits the text of a batch. Comments and white space disappear.
func lex(src string) ([]token, error) {
	l := lexer{src: src}
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		l.out = append(l.out, t)
		if t.kind == tokEOF {
			return l.out, nil
		}
	}
}

type lexer struct {
	src string
	pos int
	out []token
}

func (l *lexer) next() (token, error) {
	if err := l.skipBlank(); err != nil {
		return token{}, err
	}
	if l.pos >= len(l.src) {
		return token{kind: tokEOF}, nil
	}
	c := l.src[l.pos]
	rest := l.src[l.pos:]
	switch {
	case (c == 'N' || c == 'n') && strings.HasPrefix(rest[1:], "'"):
		l.pos++
		return l.delimited(tokNString, '\'')
	case c == '\'':
		return l.delimited(tokString, '\'')
	case c == '"':
		return l.delimited(tokIdent, '"')
	case c == '[':
		return l.delimited(tokIdent, ']')
	case c == '0' && len(rest) > 1 && (rest[1] == 'x' || rest[1] == 'X'):
		n := span(rest[2:], isHex)
		l.pos += 2 + n
		return token{kind: tokBinary, text: rest[2 : 2+n]}, nil
	case isDigit(c) || c == '.' && len(rest) > 1 && isDigit(rest[1]):
		return l.number(), nil
	case c == '@':
		return l.variable(), nil
	}
	if r, _ := utf8.DecodeRuneInString(rest); r == '_' || r == '#' || unicode.IsLetter(r) {
		n := identLen(rest)
		l.pos += n
		return token{kind: tokIdent, text: rest[:n], upper: strings.ToUpper(rest[:n])}, nil
	}
	for _, op := range []string{"<>", "!=", "<=", ">=", "!<", "!>", "+=", "-="} {
		if strings.HasPrefix(rest, op) {
			l.pos += 2
			return token{kind: tokOp, text: op}, nil
		}
	}
	if strings.IndexByte("+-*/%&|^~=<>(),.;", c) < 0 {
		r, _ := utf8.DecodeRuneInString(rest)
		return token{}, &Error{NumSyntax, fmt.Sprintf("Incorrect syntax near '%c'.", r)}
	}
	l.pos++
	return token{kind: tokOp, text: string(c)}, nil
}

// skipBlank passes white space, line comments and nested block comments.
func (l *lexer) skipBlank() error {
	for l.pos < len(l.src) {
		rest := l.src[l.pos:]
		r, n := utf8.DecodeRuneInString(rest)
		switch {
		case unicode.IsSpace(r) || r == '\ufeff':
			l.pos += n
		case strings.HasPrefix(rest, "--"):
			if i := strings.IndexByte(rest, '\n'); i >= 0 {
				l.pos += i + 1
			} else {
				l.pos = len(l.src)
			}
		case strings.HasPrefix(rest, "/*"):
			if err := l.blockComment(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

func (l *lexer) blockComment() error {
	depth := 0
	for l.pos < len(l.src) {
		switch rest := l.src[l.pos:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			l.pos += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			l.pos += 2
			if depth == 0 {
				return nil
			}
		default:
			l.pos++
		}
	}
	return &Error{113, "Missing end comment mark '*/'."}
}

// delimited reads up to the closing mark; a doubled mark stands for itself.
func (l *lexer) delimited(kind tokenKind, end byte) (token, error) {
	var b strings.Builder
	for i := l.pos + 1; i < len(l.src); i++ {
		if l.src[i] != end {
			b.WriteByte(l.src[i])
			continue
		}
		if i+1 < len(l.src) && l.src[i+1] == end {
			b.WriteByte(end)
			i++
			continue
		}
		l.pos = i + 1
		return token{kind: kind, text: b.String(), quoted: true}, nil
	}
	return token{}, &Error{NumUnclosed, fmt.Sprintf("Unclosed quotation mark after the character string '%s'.", b.String())}
}

func (l *lexer) number() token {
	rest := l.src[l.pos:]
	kind, n := tokInt, span(rest, isDigit)
	if n < len(rest) && rest[n] == '.' {
		kind = tokDecimal
		n++
		n += span(rest[n:], isDigit)
	}
	if n < len(rest) && (rest[n] == 'e' || rest[n] == 'E') {
		m := n + 1
		if m < len(rest) && (rest[m] == '+' || rest[m] == '-') {
			m++
		}
		kind, n = tokFloat, m+span(rest[m:], isDigit)
	}
	l.pos += n
	return token{kind: kind, text: rest[:n]}
}

func (l *lexer) variable() token {
	rest := l.src[l.pos:]
	kind, skip := tokVar, 1
	if strings.HasPrefix(rest, "@@") {
		kind, skip = tokGlobal, 2
	}
	n := skip + identLen(rest[skip:])
	l.pos += n
	return token{kind: kind, text: rest[:n], upper: strings.ToUpper(rest[:n])}
}

func identLen(s string) int {
	for i, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '#' && r != '$' && r != '@' {
			return i
		}
	}
	return len(s)
}

func span(s string, ok func(byte) bool) int {
	for i := range len(s) {
		if !ok(s[i]) {
			return i
		}
	}
	return len(s)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
