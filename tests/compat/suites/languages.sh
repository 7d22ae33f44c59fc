# about: Lua, Tcl, Erlang (dets, mnesia, disk_log), Elixir, OCaml, Haskell, SBCL, Guile, Prolog, R, Octave, Rust and cargo, CMake with Ninja, Meson, Python environments: their own files, compilers and images in the directory
# packages: lua5.4 tcl erlang-base erlang-mnesia elixir ocaml-nox ghc sbcl guile-3.0 swi-prolog-nox r-base-core octave rustc cargo cmake ninja-build meson gcc g++ libc6-dev python3-venv python3-pip
# limit: 1500

version() { dpkg-query -W -f '${Package} ${Version}, ' lua5.4 tcl erlang-base elixir ocaml-nox ghc sbcl guile-3.0 swi-prolog-nox r-base-core octave rustc cmake | sed 's/, $//'; }

suite() {
    export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=$PWD TMPDIR=$PWD/temporary LC_ALL=C.UTF-8
    mkdir temporary
    small_ones; beam; lisps; mathematics; compiled; environments
}

# What dets says of a file that was not closed depends on when it was killed.
quiet_erl() { erl "$@" | grep -v '^dets: '; }

small_ones() {
    cat >a.lua <<'T'
local f = assert(io.open("l", "w+b")); f:setvbuf("full", 777)
for i = 1, 20000 do f:write(i, " ", string.rep("x", i % 50), "\n") end
f:seek("set", 1000); f:write("HERE"); f:seek("end", -20); print(f:read("a"):byte(1, -1)); print(f:seek("cur")); f:close()
local n = 0; for a in io.lines("l", "L") do n = n + #a end; print(n)
local g = io.open("l", "a"); g:write("tail"); g:close(); local p = io.popen("wc -c <l"); print(p:read("n")); p:close()
os.rename("l", "m"); print(io.open("l")); os.remove("m"); local t = io.tmpfile(); t:write("t"); t:seek("set"); print(t:read(1)); print(io.open("/nowhere/x", "w"))
T
    value "lua" lua5.4 a.lua
    value "luac" bash -c 'luac5.4 -o a.luac a.lua; lua5.4 a.luac | sha256sum'
    cat >a.tcl <<'T'
set f [open t w+]; fconfigure $f -translation binary -buffersize 333
for {set i 0} {$i < 20000} {incr i} { puts $f "$i [string repeat y [expr {$i % 40}]]" }
seek $f 500; puts -nonewline $f HERE; seek $f 0 end; puts [tell $f]; chan truncate $f 300000; close $f; puts [file size t]
file copy t u; file rename -force u v; file link -symbolic w v; puts [file type w]; puts [lsort [glob *.tcl v w]]; file attributes v -permissions 0600; puts [file attributes v -permissions]
set f [open v r+]; set c [open "|wc -c" r+]; fcopy $f $c; close $c write; puts [string trim [read $c]]; close $f
set f [file tempfile n]; puts $f x; close $f; puts [file size $n]; file mkdir d/e; file delete -force d v w t; puts [file exists d]; puts [catch {open /nowhere/x w} e]$e
T
    value "tcl" tclsh a.tcl
    cat >a.pl <<'T'
:- open('p', write, S, [encoding(utf8), buffer(full)]), forall(between(1, 20000, I), format(S, "fact(~d, 'ä').~n", [I])), close(S), size_file(p, Z), print(Z), nl.
:- qcompile(p), consult('p.qlf'), aggregate_all(count, fact(_, _), N), print(N), nl.
:- open('p', update, S, [type(binary)]), seek(S, 100, bof, _), put_byte(S, 37), close(S), read_term_from_atom('x', T, []), print(T), nl, qsave_program('p.state', [goal(true), stand_alone(false)]), exists_file('p.state'), print(saved), nl.
T
    value "prolog" swipl -q -g halt a.pl
    value "guile" bash -c 'echo "(use-modules (ice-9 rdelim) (ice-9 binary-ports)) (call-with-output-file \"g\" (lambda (p) (do ((i 0 (+ i 1))) ((= i 20000)) (write i p) (newline p)))) (define p (open-file \"g\" \"r+b\")) (seek p 100 SEEK_SET) (display (read-line p)) (truncate-file p 5000) (display (stat:size (stat \"g\"))) (setvbuf p (quote block) 100) (seek p 0 SEEK_END) (display \"end\" p) (close-port p) (display (string-length (call-with-input-file \"g\" read-string)))" >g.scm; guile --fresh-auto-compile g.scm 2>/dev/null; guile g.scm 2>/dev/null; find .cache -name "*.go" | wc -l'
}

beam() {
    cat >t.erl <<'T'
-module(t).
-export([main/1, again/1]).
main(_) ->
    {ok, D} = dets:open_file(d, [{file, "d.dets"}, {auto_save, 100}]), [dets:insert(D, {I, lists:duplicate(I rem 50, I)}) || I <- lists:seq(1, 5000)],
    [dets:delete(D, I) || I <- lists:seq(1, 5000, 3)], io:format("~p ~p~n", [dets:info(D, size), dets:lookup(D, 77)]), ok = dets:close(D),
    {ok, L} = disk_log:open([{name, l}, {file, "l.log"}, {type, wrap}, {size, {20000, 4}}]), [disk_log:log(L, {entry, I}) || I <- lists:seq(1, 3000)], disk_log:sync(L), disk_log:close(L),
    application:set_env(mnesia, dir, "mn"), mnesia:create_schema([node()]), mnesia:start(), mnesia:create_table(a, [{disc_copies, [node()]}]), mnesia:create_table(b, [{disc_only_copies, [node()]}]),
    [{atomic, ok} = mnesia:transaction(fun() -> mnesia:write({a, I, I * I}), mnesia:write({b, I, -I}) end) || I <- lists:seq(1, 1500)], mnesia:dump_log(), mnesia:backup("mn.bup"), mnesia:stop(),
    {ok, F} = file:open("raw", [raw, read, write, binary, delayed_write]), [file:pwrite(F, I * 100, <<I:32>>) || I <- lists:seq(1, 2000)], file:sync(F), {ok, <<X:32>>} = file:pread(F, 777 * 100, 4),
    file:position(F, 5000), file:truncate(F), file:close(F), io:format("~p ~p~n", [X, filelib:file_size("raw")]), file:write_file("w", lists:seq(1, 255)), {ok, 255} = file:copy("w", "w2"),
    ets:file2tab("none"), E = ets:new(e, []), ets:insert(E, [{I, I} || I <- lists:seq(1, 9999)]), ets:tab2file(E, "e.tab"), {ok, G} = ets:file2tab("e.tab"), io:format("~p~n", [ets:info(G, size)]), halt(0).
again(_) -> application:set_env(mnesia, dir, "mn"), mnesia:start(), mnesia:wait_for_tables([a, b], 20000), io:format("~p ~p ~p~n", [mnesia:table_info(a, size), mnesia:table_info(b, size), mnesia:dirty_read(b, 77)]),
    {ok, D} = dets:open_file(d, [{file, "d.dets"}]), io:format("~p~n", [dets:info(D, size)]), dets:close(D), io:format("~p~n", [element(1, disk_log:open([{name, l}, {file, "l.log"}, {type, wrap}, {size, {20000, 4}}, {mode, read_only}]))]), halt(0).
T
    check "erlc" erlc t.erl
    value "erlang: dets, disk_log, mnesia, raw files" erl -kernel logger_level critical -noshell -run t main x
    value "erlang: opened again" erl -kernel logger_level critical -noshell -run t again x
    (erl -noshell -eval '{ok, D} = dets:open_file(k, [{file, "k.dets"}]), [begin dets:insert(D, {I, I}), dets:sync(D) end || I <- lists:seq(1, 1000000)]' & echo $! >beam.pid; wait) 2>/dev/null & sleep 2.5; kill_hard "$(cat beam.pid)"
    value "erlang: dets repaired after kill" quiet_erl -noshell -eval '{ok, D} = dets:open_file(k, [{file, "k.dets"}]), N = dets:info(D, size), io:format("~p ~p~n", [N > 0, dets:lookup(D, N div 2) == [{N div 2, N div 2}]]), dets:close(D), halt(0)'
    value "elixir" bash -c 'echo "defmodule M do def f, do: File.stream!(\"ex\") |> Enum.count() end" >m.ex; elixirc m.ex; elixir -e "File.write!(\"ex\", Enum.map_join(1..9999, \"\\n\", &to_string/1)); IO.puts(M.f()); IO.puts(File.stat!(\"ex\").size); File.mkdir_p!(\"mn1/a\"); File.write!(\"mn1/a/b\", \"x\"); File.write!(\"mn1/c\", \"y\"); File.cp_r!(\"mn1\", \"mn2\"); IO.inspect(length(File.ls!(\"mn2\"))); File.rm_rf!(\"mn2\"); IO.inspect(File.exists?(\"mn2\"))"'
    value "mix" bash -c 'mix new pr >/dev/null 2>&1; cd pr; MIX_HOME=$PWD/h mix test 2>&1 | grep -E "tests|doctest"; MIX_HOME=$PWD/h mix compile --force 2>&1 | tail -n 1; ls _build/test/lib/pr/ebin | tr "\n" " "'
}

lisps() {
    value "sbcl" bash -c 'echo "(defun f (n) (if (< n 2) n (+ (f (1- n)) (f (- n 2)))))" >f.lisp; sbcl --non-interactive --eval "(compile-file \"f.lisp\")" >/dev/null 2>&1; sbcl --noinform --non-interactive --load f.fasl --eval "(print (f 20))"'
    value "sbcl saves its core, runs it" bash -c 'sbcl --non-interactive --load f.fasl --eval "(save-lisp-and-die \"f.core\")" >/dev/null 2>&1; sbcl --core f.core --noinform --non-interactive --eval "(print (f 15))"; sbcl --non-interactive --load f.fasl --eval "(save-lisp-and-die \"f.exe\" :executable t :toplevel (lambda () (print (f 16)) (terpri) (exit)))" >/dev/null 2>&1; ./f.exe'
    value "sbcl files" sbcl --noinform --non-interactive --eval '(progn (with-open-file (s "sb" :direction :io :element-type (quote (unsigned-byte 8)) :if-does-not-exist :create) (dotimes (i 30000) (write-byte (mod i 251) s)) (file-position s 777) (print (read-byte s)) (print (file-length s))) (with-open-file (s "sb" :direction :output :if-exists :supersede) (write-string "new" s)) (with-open-file (s "sb") (print (read-line s))) (rename-file "sb" "sc") (print (length (directory "s*"))) (delete-file "sc"))'
}

mathematics() {
    value "R" Rscript -e 'd <- data.frame(a = 1:5000, b = rep(letters[1:5], 1000)); saveRDS(d, "d.rds"); save(d, file = "d.RData", compress = "xz"); write.csv(d, "d.csv", row.names = FALSE); print(identical(readRDS("d.rds"), d)); e <- read.csv("d.csv"); print(sum(e$a)); f <- file("bin", "w+b"); writeBin(1:1000, f); seek(f, 400, rw = "read"); print(readBin(f, integer(), 1)); close(f); pdf("p.pdf"); plot(1:10); invisible(dev.off()); print(file.size("p.pdf") > 1000); print(file.rename("d.csv", "e.csv")); g <- gzfile("g.gz", "w"); writeLines(as.character(1:100), g); close(g); print(length(readLines("g.gz"))); con <- fifo; Rprof(NULL); dump("d", "d.R"); source("d.R"); print(dim(d)); unlink("e.csv")'
    value "R package" bash -c 'mkdir -p pk/R pk/src lib; printf "Package: pk\nVersion: 1.0\nTitle: T\nDescription: D.\nLicense: GPL\nAuthor: A\nMaintainer: A <a@x>\n" >pk/DESCRIPTION; printf "useDynLib(pk)\nexport(f)\n" >pk/NAMESPACE; echo "f <- function(x) .Call(\"g\", x)" >pk/R/f.R; printf "#include <Rinternals.h>\nSEXP g(SEXP x) { return ScalarReal(asReal(x) * 2); }\n" >pk/src/g.c; R CMD INSTALL -l lib pk >pk.log 2>&1 || tail -n 3 pk.log; Rscript -e "library(pk, lib.loc = \"lib\"); f(21)"; R CMD build pk >/dev/null 2>&1; ls pk_*.gz'
    value "octave" octave-cli -q --eval 'a = rand(200); save("-text", "a.txt", "a"); save("-binary", "a.bin", "a"); save("-v7", "a.mat", "a"); save("-hdf5", "a.h5", "a"); save("-z", "a.z", "a"); for f = {"a.bin", "a.mat", "a.h5"}; b = load(f{1}).a; disp(isequal(a, b)); end; b = load("a.z").a; disp(max(max(abs(a - b))) < 1e-9); f = fopen("o", "w+"); fwrite(f, 1:1000, "int32"); fseek(f, 400, SEEK_SET); disp(fread(f, 1, "int32")); fclose(f); diary d.log; disp(7); diary off; dlmwrite("m.csv", magic(4)); disp(sum(csvread("m.csv")(:)));'
}

compiled() {
    value "ocaml" bash -c 'echo "let () = let o = open_out_bin \"oc\" in for i = 1 to 20000 do output_string o (string_of_int i); output_char o (Char.chr 10) done; seek_out o 50; output_string o \"HERE\"; close_out o; let i = open_in_bin \"oc\" in seek_in i 48; print_endline (really_input_string i 8); Printf.printf \"%d\n\" (in_channel_length i); let m = Unix.map_file (Unix.openfile \"om\" [Unix.O_RDWR; Unix.O_CREAT] 0o600) Bigarray.int32 Bigarray.c_layout true [|5000|] in let a = Bigarray.array1_of_genarray m in for k = 0 to 4999 do a.{k} <- Int32.of_int k done; Unix.truncate \"oc\" 10; Printf.printf \"%d\n\" (Unix.stat \"oc\").Unix.st_size" >o.ml; ocamlfind ocamlopt -package unix -linkpkg o.ml -o o 2>/dev/null || ocamlopt -I +unix unix.cmxa o.ml -o o 2>&1; ./o; ocamlc -I +unix unix.cma o.ml -o ob; ./ob | sha256sum; od -An -tu4 -j 400 -N 4 om'
    value "haskell" bash -c 'printf "import System.IO\nimport qualified Data.ByteString as B\nimport System.Directory\nmain = do\n  writeFile \"h\" (unlines (map show [1..20000]))\n  s <- readFile \"h\"\n  print (length s)\n  h <- openBinaryFile \"h2\" ReadWriteMode\n  hSetBuffering h (BlockBuffering (Just 333))\n  hPutStr h (concatMap show [1..9999])\n  hSeek h AbsoluteSeek 500\n  hPutStr h \"HERE\"\n  hSetFileSize h 600\n  hClose h\n  b <- B.readFile \"h2\"\n  print (B.length b, B.take 4 (B.drop 500 b))\n  appendFile \"h\" \"end\"\n  renameFile \"h\" \"h3\"\n  doesFileExist \"h\" >>= print\n  removeFile \"h3\"\n" >H.hs; ghc -v0 -O1 H.hs -o hs 2>&1; ./hs; rm hs; ghc -v0 -dynamic H.hs -o hs 2>&1; ./hs | sha256sum; runghc H.hs | sha256sum; ls *.hi'
    cat >r.rs <<'T'
use std::{fs::{self, File, OpenOptions}, io::{self, *}, os::unix::fs::FileExt};
fn main() -> io::Result<()> {
    let mut w = BufWriter::new(File::create("rs")?);
    for i in 0..20000 { writeln!(w, "{}", i)?; }
    w.flush()?;
    let f = OpenOptions::new().read(true).write(true).open("rs")?;
    f.write_at(b"HERE", 500)?;
    let mut b = [0; 8];
    f.read_exact_at(&mut b, 498)?;
    println!("{:?}", String::from_utf8_lossy(&b));
    f.set_len(5000)?;
    f.sync_all()?;
    println!("{} {}", f.metadata()?.len(), fs::copy("rs", "rs2")?);
    fs::rename("rs2", "rs3")?;
    println!("{}", fs::read_to_string("rs3")?.lines().count());
    fs::create_dir_all("rd/a/b")?; fs::write("rd/a/b/c", "x")?; fs::hard_link("rd/a/b/c", "rd/d")?; fs::remove_dir_all("rd")?;
    let t: Vec<_> = (0..4u64).map(|n| { let g = f.try_clone().unwrap(); std::thread::spawn(move || { for i in 0..500u64 { g.write_at(&[n as u8 + 65], 5000 + i * 4 + n).unwrap(); } }) }).collect();
    for h in t { h.join().unwrap(); }
    println!("{}", fs::read("rs")?[5000..].chunks(4).all(|c| c == b"ABCD"));
    io::copy(&mut File::open("rs")?, &mut OpenOptions::new().append(true).open("rs3")?)?;
    println!("{}", fs::metadata("rs3")?.len());
    Ok(())
}
T
    value "rustc" bash -c 'rustc -O r.rs -o rr 2>&1 && ./rr'
    value "cargo" bash -c 'cargo init -q --vcs none --name cg cg && cd cg && cp ../r.rs src/main.rs && cargo build -q --offline 2>&1 && ./target/debug/cg | sha256sum && printf "#[test]\nfn t() { assert_eq!(std::fs::write(\"tt\", \"x\").is_ok(), true) }\n" >>src/main.rs && cargo test -q --offline 2>&1 | grep -c "1 passed"; cargo build --offline 2>&1 | grep -c Compiling; touch src/main.rs; cargo build --release --offline 2>&1 | grep -c Compiling; ls target'
    value "cmake, ninja" bash -c 'mkdir cm; cd cm; printf "cmake_minimum_required(VERSION 3.18)\nproject(p C CXX)\nadd_library(l SHARED l.c)\nadd_executable(m m.cc)\ntarget_link_libraries(m l)\nenable_testing()\nadd_test(t m)\nconfigure_file(c.in c.h)\ninstall(TARGETS m l)\n" >CMakeLists.txt; echo "int l(void) { return 42; }" >l.c; printf "#include \"c.h\"\n#include <iostream>\nextern \"C\" int l(); int main() { std::cout << l() << V; return 0; }\n" >m.cc; echo "#define V \"@PROJECT_NAME@\"" >c.in; cmake -GNinja -B b -DCMAKE_CXX_FLAGS=-I. -DCMAKE_INCLUDE_CURRENT_DIR=ON >log 2>&1; ninja -C b >>log 2>&1; b/m; ninja -C b | tail -n 1; touch l.c; ninja -C b -n | grep -c "l.c.o"; (cd b; ctest 2>&1 | grep "tests passed"); DESTDIR=$PWD/i ninja -C b install >>log 2>&1; find i -type f | wc -l; cmake -B b2 -DCMAKE_INCLUDE_CURRENT_DIR=ON >>log 2>&1; make -s -C b2 -j3 >>log 2>&1; b2/m; cmake -E tar czf b2.tgz b2; cmake -E sha256sum l.c'
    value "meson" bash -c 'mkdir me; cd me; printf "project(\"p\", \"c\")\nl = library(\"l\", \"l.c\")\ne = executable(\"m\", \"m.c\", link_with: l)\ntest(\"t\", e)\n" | tr "\"" "\047" >meson.build; cp ../cm/l.c .; echo "int l(void); int main(void) { return l() != 42; }" >m.c; meson setup b >/dev/null && ninja -C b >/dev/null && meson test -C b | grep -E "^Ok"'
}

environments() {
    value "venv" bash -c 'python3 -m venv --without-pip ve && ve/bin/python -c "import sys; print(sys.prefix != sys.base_prefix)"; python3 -m venv vp && vp/bin/python -m pip --version | cut -d" " -f1; mkdir pkg; printf "[project]\nname = \"pkg\"\nversion = \"1\"\n[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n" >pkg/pyproject.toml; echo "V = 5" >pkg/pkg.py; vp/bin/python -m pip install -q --no-index --no-build-isolation ./pkg 2>&1 | tail -n 2; vp/bin/python -c "import pkg; print(pkg.V)"; vp/bin/python -m pip uninstall -qy pkg; vp/bin/python -m pip list 2>/dev/null | wc -l'
    value "zipapp, compileall, shelve" bash -c 'mkdir za; echo "print(6 * 7)" >za/__main__.py; python3 -m zipapp za -p /usr/bin/python3; ./za.pyz; python3 -m compileall -q za; ls za/__pycache__ | wc -l; python3 -c "
import shelve, mmap, sqlite3
with shelve.open(\"sh\") as s:
    for i in range(500): s[str(i)] = list(range(i))
with shelve.open(\"sh\") as s: print(len(s), sum(s[\"99\"]))"'
}
