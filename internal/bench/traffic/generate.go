package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"
)

// agents are what clients call themselves; load balancers write a quote as \x22.
var agents = []string{"tidemark/1.4.2 (linux; amd64)", "tidemark/1.4.1 (windows; amd64)", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
	`odd \x22agent\x22 \"1\"`}

// generate writes the log of one load balancer, always the same, and returns
// its size decompressed and compressed.
func generate(path string, lines int) (plain, zipped int64, err error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, 0, err
	}
	z := gzip.NewWriter(f)
	counted := &counter{w: z}
	w := bufio.NewWriterSize(counted, 1<<20)
	random := rand.New(rand.NewPCG(7, 9))
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for range lines {
		at = at.Add(time.Duration(random.ExpFloat64() * float64(250*time.Millisecond)))
		writeLine(w, random, at)
	}
	err = errors.Join(w.Flush(), z.Close(), f.Close())
	if err != nil {
		return 0, 0, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, 0, err
	}
	return counted.n, info.Size(), nil
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return c.w.Write(p)
}

func writeLine(w io.Writer, random *rand.Rand, at time.Time) {
	customer := fmt.Sprintf("customer%04d", int(random.ExpFloat64()*300)%2000)
	table := fmt.Sprintf("dbo.table%02d", random.IntN(20))
	var method, path string
	status, in, out := 200, 400, 300
	switch n := random.IntN(100); {
	case n < 45:
		method, path, status = "GET", "/versions", 304
	case n < 90:
		method, path, in = "POST", "/tables/"+table+"/rows", 500+random.IntN(60_000)
	case n < 95:
		method, path, out = "GET", "/tables/"+table+"/summary", 1500
	case n < 97:
		method, path = "POST", "/tables/"+table+"/manifest"
	default:
		method, path = "GET", "/policy"
	}
	if random.IntN(200) == 0 {
		status = 503
	}
	stamp := at.Format("2006-01-02T15:04:05.000000Z")
	fmt.Fprintf(w, `https %s app/tidemark-api/50dc6c495c0c9188 203.0.%d.%d:%d 10.0.%d.%d:8443 0.000 %.3f 0.000 %d %d %d %d `+
		`"%s https://sync.example.com:443/v1/customers/%s%s HTTP/2.0" "%s" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.3 `+
		`arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/tidemark/73e2d6bc24d8a067 "Root=1-%08x-%016x%08x" "sync.example.com" `+
		`"arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012" 0 %s "forward" "-" "-" "10.0.1.%d:8443" "%d" "-" "-" TID_%016x "-" "-" "-"`+"\n",
		stamp, random.IntN(256), random.IntN(256), 1024+random.IntN(60_000), random.IntN(3), random.IntN(256), random.ExpFloat64()*.02, status, status, in, out,
		method, customer, path, agents[min(random.IntN(40), len(agents)-1)], at.Unix(), random.Uint64(), random.Uint32(), stamp, random.IntN(256), status, random.Uint64())
}
