package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"tidemark/agent"
	"tidemark/internal/fault"
)

// A Server answers the commands. Make it with Listen, then Run it.
type Server struct {
	listener net.Listener
	http     *http.Server
	slots    chan struct{}
	allow    func(*net.UnixConn) error
}

// Listen opens the socket of a state directory for c. The directory must
// exist. A socket that a killed agent left behind is replaced; one that
// another agent listens on is an error.
func Listen(ctx context.Context, stateDir string, c agent.Control) (*Server, error) {
	const op = "open the control socket"
	path := SocketPath(stateDir)
	if err := prepareDir(socketDir(stateDir)); err != nil {
		return nil, fault.New(op, err, "the service's account needs to write into the state directory")
	}
	if len(path) > 100 { // sun_path has 104 to 108 bytes, by system
		return nil, fault.New(op, fmt.Errorf("the path %s is too long for a socket", path), "give state_dir a shorter path")
	}
	if conn, err := (&net.Dialer{Timeout: connectTime}).DialContext(ctx, "unix", path); err == nil {
		_ = conn.Close()
		return nil, fault.New(op, errors.New("another agent listens on "+path), "stop the other one first, or give this one its own state_dir")
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fault.New(op, err, "remove the file, or give the service's account the right to")
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if noSockets(err) {
		return nil, fault.New(op, ErrNoSockets, "commands that ask the service need Windows Server 2019 or later; all else works")
	}
	if err != nil {
		return nil, fault.New(op, err, "the service's account needs to write into the state directory")
	}
	if err := protect(path); err != nil {
		return nil, fault.New(op, errors.Join(err, l.Close()), "")
	}
	s := &Server{listener: l, slots: make(chan struct{}, maxAtOnce), allow: peerMayControl(path)}
	s.http = &http.Server{
		Handler:           s.guard(operations(c)),
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       transfer,
		IdleTimeout:       transfer,
		MaxHeaderBytes:    16 << 10,
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, conn)
		},
	}
	return s, nil
}

type connKey struct{}

// Run answers until ctx ends, which ends the operations in work too, and
// returns when the last answer is out or given up. The socket is gone then.
func (s *Server) Run(ctx context.Context) error {
	s.http.BaseContext = func(net.Listener) context.Context { return ctx }
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(s.listener) }()
	select {
	case err := <-served:
		return fault.New("serve the control socket", err, "")
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdown)
	defer cancel()
	err := s.http.Shutdown(stop)
	if err != nil {
		err = s.http.Close()
	}
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}

// Close gives the socket up when Run was never called.
func (s *Server) Close() error { return s.listener.Close() }

// guard lets in who may control the agent, and no more than can be served.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if conn, ok := r.Context().Value(connKey{}).(*net.UnixConn); ok {
			if err := s.allow(conn); err != nil {
				answerError(w, err)
				return
			}
		}
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
		default:
			answerError(w, fmt.Errorf("%w: %d requests are in work already", agent.ErrBusy, maxAtOnce))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// serve answers one operation.
func serve[Out any](mux *http.ServeMux, name string, do func(context.Context, request) (Out, error)) {
	mux.HandleFunc("POST /v1/"+name, func(w http.ResponseWriter, r *http.Request) {
		var in request
		d := json.NewDecoder(io.LimitReader(r.Body, maxRequest))
		d.DisallowUnknownFields()
		if err := d.Decode(&in); err != nil {
			answer(w, http.StatusBadRequest, failure{Kind: "malformed", Message: "the request is not understood: " + err.Error()})
			return
		}
		// The request is read; what follows may take longer than reading may.
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		ctx, cancel := context.WithTimeout(r.Context(), longest)
		defer cancel()
		out, err := do(ctx, in)
		if err != nil {
			answerError(w, err)
			return
		}
		answer(w, http.StatusOK, out)
	})
}

func answerError(w http.ResponseWriter, err error) {
	f, status := failure{Kind: "failed", Message: err.Error(), Hint: fault.Hint(err)}, http.StatusInternalServerError
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			f.Kind, status = k.name, k.status
			break
		}
	}
	answer(w, status, f)
}

func answer(w http.ResponseWriter, status int, v any) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(transfer))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the other end is gone: nobody to tell
}
