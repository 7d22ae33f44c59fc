// Files, threads, signals, processes, mappings and a fault, as a Go program with cgo has them.
package main

import (
	"bufio"
	"fmt"
	"io"
		"os"
	"os/exec"
	"os/signal"
	"os/user"
	"path/filepath"
	"runtime"
	"sort"
	"sync"
	"syscall"
	"time"
)

func must(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func main() {
	dir := os.Args[1]
	u, err := user.Current()
	must(err)
	fmt.Println(u.Username)
	var wg sync.WaitGroup
	for i := 0; i < 16; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			if i%2 == 0 {
				runtime.LockOSThread()
			}
			name := filepath.Join(dir, fmt.Sprintf("f%d", i))
			f, err := os.Create(name)
			must(err)
			w := bufio.NewWriter(f)
			for l := 0; l < 5000; l++ {
				fmt.Fprintf(w, "line %d of goroutine %d %s\n", l, i, os.Args[2])
			}
			must(w.Flush())
			must(f.Sync())
			must(f.Close())
			data, err := os.ReadFile(name)
			must(err)
			if l := len(data); l < 100000 {
				fmt.Println("short", l)
			}
		}(i)
	}
	c := make(chan os.Signal, 100)
	signal.Notify(c, syscall.SIGUSR1)
	for i := 0; i < 50; i++ {
		syscall.Kill(os.Getpid(), syscall.SIGUSR1)
		runtime.GC()
	}
	<-c
	wg.Wait()
	for i := 0; i < 5; i++ {
		out, err := exec.Command("sh", "-c", "cat "+dir+"/f3 | wc -l; pwd").CombinedOutput()
		must(err)
		fmt.Print(string(out))
	}
	es, err := os.ReadDir(dir)
	must(err)
	var names []string
	for _, e := range es {
		i, _ := e.Info()
		names = append(names, fmt.Sprint(e.Name(), i.Size()))
	}
	sort.Strings(names)
	fmt.Println(names)
	must(os.Rename(dir+"/f1", dir+"/g1"))
	r, w, _ := os.Pipe()
	go func() { time.Sleep(20 * time.Millisecond); w.Write([]byte("late\n")); w.Close() }()
	b, _ := io.ReadAll(r)
	fmt.Print(string(b))
	m, err := os.OpenFile(dir+"/m", os.O_RDWR|os.O_CREATE, 0644)
	must(err)
	must(m.Truncate(8192))
	p, err := syscall.Mmap(int(m.Fd()), 0, 8192, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	must(err)
	copy(p, "mapped text")
	must(syscall.Munmap(p))
	d, _ := os.ReadFile(dir + "/m")
	fmt.Println(string(d[:11]), len(d))
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		var q *int
		*q = 1
	}()
}
