# about: the .NET SDK in the directory: new, restore, build, run, test of file classes, mapped files, file locks, publish as one file
# packages:
# limit: 600

version() { dotnet --version; }

prepare() { command -v dotnet; }

suite() {
    export HOME=$PWD/home TMPDIR=$PWD/temporary DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 NUGET_PACKAGES=$PWD/packages
    export DOTNET_CLI_HOME=$HOME MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
    mkdir home temporary
    check "new" dotnet new console -o app --no-restore
    check "new library" dotnet new classlib -o lib --no-restore
    program >app/Program.cs
    sed -i 's|</PropertyGroup>|<Nullable>disable</Nullable><AllowUnsafeBlocks>true</AllowUnsafeBlocks></PropertyGroup>|' app/app.csproj
    echo 'namespace lib; public class Class1 { public static string Say(int n) => $"lib {n}"; }' >lib/Class1.cs
    check "add reference" dotnet add app reference lib
    check "restore" dotnet restore app --source "$HOME"
    check "build" dotnet build app --no-restore -c Release -v q -nodeReuse:false
    value "build again does nothing" bash -c 'touch mark; dotnet build app --no-restore -c Release -v q -nodeReuse:false >&2; find app/bin -newer mark -name "*.dll" | wc -l'
    dotnet app/bin/Release/net*/app.dll
    value "the program itself, in the directory" bash -c 'app/bin/Release/net*/app x | tail -n 1'
    check "publish" dotnet publish app --no-restore -c Release -v q -o published -nodeReuse:false --self-contained false
    value "published" bash -c 'dotnet published/app.dll x; ls published | paste -sd" "'
    check "clean" dotnet clean app -c Release -v q -nodeReuse:false
}

program() {
    cat <<'TEXT'
using System.IO.Compression; using System.IO.MemoryMappedFiles; using System.Security.Cryptography; using System.Text; using System.Text.Json;
if (args.Length > 0) { Console.WriteLine(lib.Class1.Say(args.Length)); return; }
static byte[] Bytes(int n, int seed) { byte[] b = new byte[n]; new Random(seed).NextBytes(b); return b; }
static string Sha(byte[] b) => Convert.ToHexString(SHA256.HashData(b))[..16];
static void Test(string name, Func<object> job) { string o; try { o = job()?.ToString(); } catch (Exception e) { o = "fail " + e.GetType().Name + " " + e.Message; } Console.WriteLine($"RESULT\t{name}\t{o.ReplaceLineEndings(" ").Replace(Environment.CurrentDirectory, "")}"); }
Test("library", () => lib.Class1.Say(1));
Test("File.WriteAllBytes", () => { File.WriteAllBytes("a", Bytes(2_000_000, 1)); return new FileInfo("a").Length + Sha(File.ReadAllBytes("a")); });
Test("File.Copy, Move, Replace", () => { File.Copy("a", "b"); File.Move("b", "c"); File.Copy("a", "d"); File.Replace("c", "d", "e"); return Sha(File.ReadAllBytes("d")) + File.Exists("c"); });
Test("append text", () => { for (int i = 0; i < 500; i++) File.AppendAllText("t", $"line {i}\n"); return File.ReadLines("t").Count() + Sha(File.ReadAllBytes("t")); });
Test("RandomAccess", () => { using var h = File.OpenHandle("r", FileMode.Create, FileAccess.ReadWrite, preallocationSize: 1 << 20); for (int i = 0; i < 50; i++) RandomAccess.Write(h, Bytes(5000, i), i * 7001L); byte[] b = new byte[5000]; RandomAccess.Read(h, b, 7001 * 9); return RandomAccess.GetLength(h) + Sha(b); });
Test("scatter and gather", () => { using var h = File.OpenHandle("v", FileMode.Create, FileAccess.ReadWrite); RandomAccess.Write(h, Enumerable.Range(0, 30).Select(i => (ReadOnlyMemory<byte>)Bytes(1000 + i, i)).ToList(), 0); var two = new List<Memory<byte>> { new byte[777], new byte[3333] }; return RandomAccess.Read(h, two, 100) + Sha(two[1].ToArray()); });
Test("FileStream async", () => { using var f = new FileStream("s", FileMode.Create, FileAccess.ReadWrite, FileShare.None, 4096, FileOptions.Asynchronous | FileOptions.WriteThrough); for (int i = 0; i < 100; i++) f.WriteAsync(Bytes(999, i)).AsTask().Wait(); f.Flush(true); f.Position = 5000; byte[] b = new byte[100]; f.ReadExactly(b); f.SetLength(50_000); return f.Length + Sha(b); });
Test("share none", () => { using var f = new FileStream("s", FileMode.Open, FileAccess.ReadWrite, FileShare.None); try { using var g = new FileStream("s", FileMode.Open); return "opened twice"; } catch (IOException) { return "refused"; } });
Test("file lock", () => { using var f = new FileStream("s", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite); f.Lock(10, 20); f.Unlock(10, 20); return "ok"; });
Test("mapped file", () => { using (var m = MemoryMappedFile.CreateFromFile("m", FileMode.Create, null, 1 << 20)) using (var v = m.CreateViewAccessor()) { for (int i = 0; i < 1 << 18; i++) v.Write(i * 4, i * 17); v.Flush(); } return Sha(File.ReadAllBytes("m")); });
Test("mapped view of a part", () => { using var m = MemoryMappedFile.CreateFromFile("m"); using var v = m.CreateViewStream(100_000, 5000, MemoryMappedFileAccess.Read); byte[] b = new byte[5000]; v.ReadExactly(b); return Sha(b); });
Test("sparse", () => { using var f = new FileStream("sp", FileMode.Create); f.Seek(50_000_000, SeekOrigin.Begin); f.WriteByte(1); return f.Length; });
Test("zip", () => { Directory.CreateDirectory("z/y"); for (int i = 0; i < 40; i++) File.WriteAllBytes($"z/y/{i}", Bytes(i * 500, i)); ZipFile.CreateFromDirectory("z", "z.zip"); ZipFile.ExtractToDirectory("z.zip", "z2"); return Sha(File.ReadAllBytes("z2/y/39")) + Directory.GetFiles("z2", "*", SearchOption.AllDirectories).Length; });
Test("gzip and brotli", () => { using (var f = File.Create("g")) using (var g = new GZipStream(f, CompressionLevel.Optimal)) g.Write(Bytes(100000, 4)); using (var f = File.Create("br")) using (var g = new BrotliStream(f, CompressionLevel.Fastest)) g.Write(Bytes(100000, 4)); using var i = new GZipStream(File.OpenRead("g"), CompressionMode.Decompress); var m = new MemoryStream(); i.CopyTo(m); return Sha(m.ToArray()); });
Test("json", () => { File.WriteAllText("j", JsonSerializer.Serialize(Enumerable.Range(0, 9999))); using var f = File.OpenRead("j"); return JsonSerializer.Deserialize<int[]>(f).Sum(); });
Test("modes and times", () => { File.SetUnixFileMode("a", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead); File.SetLastWriteTimeUtc("a", new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc)); return File.GetUnixFileMode("a") + " " + File.GetLastWriteTimeUtc("a").Ticks + " " + File.GetAttributes("a"); });
Test("watcher", () => { Directory.CreateDirectory("w"); using var w = new FileSystemWatcher("w"); var e = new ManualResetEventSlim(); string n = null; w.Created += (_, a) => { n = a.Name; e.Set(); }; w.EnableRaisingEvents = true; File.WriteAllText("w/n", "x"); e.Wait(20000); return n; });
Test("links", () => { File.CreateSymbolicLink("l", "a"); return File.ResolveLinkTarget("l", true).Name + new FileInfo("l").Length; });
Test("processes", () => { var p = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("sh", "-c \"wc -c <a; echo x >from-sh\"") { RedirectStandardOutput = true }); string s = p.StandardOutput.ReadToEnd(); p.WaitForExit(); return s.Trim() + File.ReadAllText("from-sh").Trim(); });
Test("parallel writes", () => { using var h = File.OpenHandle("p", FileMode.Create, FileAccess.ReadWrite); Parallel.For(0, 200, i => RandomAccess.Write(h, Bytes(3000, i), i * 3000L)); return Sha(File.ReadAllBytes("p")); });
Test("many files", () => { Directory.CreateDirectory("many"); Parallel.For(0, 1000, i => File.WriteAllText($"many/{i}", new string('x', i))); long n = new DirectoryInfo("many").EnumerateFiles().Sum(f => f.Length); Directory.Delete("many", true); return n; });
Test("delete on close", () => { using (new FileStream("doc", FileMode.Create, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose)) { } return File.Exists("doc"); });
TEXT
}
