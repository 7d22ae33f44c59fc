# about: Go: the compiler in the directory and programs built by it, static and dynamic (cgo): they make system calls without libc
# packages: golang-go gcc libc6-dev
# limit: 600

version() { go version | cut -d' ' -f3; }

prepare() {
    cat >job.go <<'TEXT'
package main

import ("fmt"; "os"; "io"; "crypto/sha256"; "path/filepath"; "sync"; "syscall")

func test(name string, job func() (any, error)) {
	v, err := job()
	if err != nil { v = "fail " + err.Error() }
	fmt.Printf("RESULT\t%s: %s\t%v\n", os.Args[1], name, v)
}

func main() {
	data := make([]byte, 1000000)
	for i := range data { data[i] = byte(i * 7) }
	test("write and read", func() (any, error) { if err := os.WriteFile("a", data, 0644); err != nil { return nil, err }; b, err := os.ReadFile("a"); return fmt.Sprintf("%x", sha256.Sum256(b))[:16], err })
	test("append", func() (any, error) { f, err := os.OpenFile("a", os.O_APPEND|os.O_WRONLY, 0); if err != nil { return nil, err }; f.WriteString("more"); f.Close(); i, err := os.Stat("a"); return i.Size(), err })
	test("copy", func() (any, error) { s, err := os.Open("a"); if err != nil { return nil, err }; d, err := os.Create("b"); if err != nil { return nil, err }; n, err := io.Copy(d, s); d.Close(); return n, err })
	test("goroutines", func() (any, error) { f, err := os.Create("c"); if err != nil { return nil, err }; var w sync.WaitGroup; for i := 0; i < 50; i++ { w.Add(1); go func(i int) { f.WriteAt(data[i*100:i*100+9000], int64(i)*9000); w.Done() }(i) }; w.Wait(); f.Close(); b, err := os.ReadFile("c"); return fmt.Sprintf("%x", sha256.Sum256(b))[:16], err })
	test("mmap", func() (any, error) { f, err := os.OpenFile("a", os.O_RDWR, 0); if err != nil { return nil, err }; m, err := syscall.Mmap(int(f.Fd()), 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED); if err != nil { return nil, err }; m[0] = 99; syscall.Munmap(m); b, err := os.ReadFile("a"); return b[0], err })
	test("directories", func() (any, error) { os.MkdirAll("x/y", 0755); os.Rename("b", "x/y/b"); n := 0; err := filepath.Walk(".", func(p string, i os.FileInfo, e error) error { n++; return e }); return n > 3, err })
}
TEXT
    export HOME=$PWD GOCACHE=$PWD/cache GOFLAGS=-mod=mod GO111MODULE=off
    CGO_ENABLED=0 go build -o static job.go && sed 's/^import (/import "C"\n&/' job.go >cgo.go && CGO_ENABLED=1 go build -o dynamic cgo.go
}

suite() {
    local kind
    # What the programs leave behind by the kernel alone would be plaintext: they are run only to see them refused or right.
    for kind in static dynamic; do
        mkdir $kind
        (cd $kind && "$SCRATCH/$kind" $kind; result "$kind program ends with" $?)
    done
    export HOME=$PWD GOCACHE=$PWD/cache GO111MODULE=off
    cp "$SCRATCH/job.go" .
    check "go build" go build -o built job.go
    ./built built; result "the built program ends with" $?
}
