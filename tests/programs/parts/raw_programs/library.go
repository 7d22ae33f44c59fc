// A library for programs of another language.
package main

import "C"
import (
	"fmt"
		"os"
	"sync"
)

//export WriteFiles
func WriteFiles(dir *C.char, n C.int, text *C.char) C.int {
	d := C.GoString(dir)
	var wg sync.WaitGroup
	for i := 0; i < int(n); i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			name := fmt.Sprintf("%s/lib%d", d, i)
			if err := os.WriteFile(name, []byte(fmt.Sprintf("from the library %d %s\n", i, C.GoString(text))), 0644); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			b, _ := os.ReadFile(name)
			if len(b) < 10 {
				fmt.Fprintln(os.Stderr, "short")
			}
		}(i)
	}
	wg.Wait()
	return n
}
func main() {}
