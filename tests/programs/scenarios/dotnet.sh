# about: a .NET program: two runtimes in one process, FileStream, RandomAccess, copy, locks, mapped reading, garbage collections
# needs: dotnet
# case-limit: 300
# limit: 400

case_files() {
    export DOTNET_CLI_HOME=$OUTSIDE/home DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 MSBUILDDISABLENODEREUSE=1 NUGET_PACKAGES=$OUTSIDE/packages TMPDIR=$OUTSIDE
    mkdir "$OUTSIDE/p"
    cat >"$OUTSIDE/p/p.csproj" <<TEXT
<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net$(dotnet --version | cut -d . -f 1,2)</TargetFramework>
<ImplicitUsings>enable</ImplicitUsings><UseAppHost>false</UseAppHost><UseSharedCompilation>false</UseSharedCompilation></PropertyGroup></Project>
TEXT
    cat >"$OUTSIDE/p/Program.cs" <<'CSHARP'
using System.IO.MemoryMappedFiles; using System.Text;
string marker = Environment.GetEnvironmentVariable("MARKER")!, inputs = Environment.GetEnvironmentVariable("INPUTS")!;
File.WriteAllText("a", $"hello {marker}\n"); File.AppendAllText("a", "more\n"); Console.Write(File.ReadAllText("a"));
File.Copy(inputs + "/text.txt", "text"); Console.WriteLine(new FileInfo("text").Length + " " + File.ReadAllBytes("text").AsSpan().SequenceEqual(File.ReadAllBytes(inputs + "/text.txt")));
using (FileStream f = new("r", FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None)) {
    f.SetLength(100000); f.Position = 50000; f.Write(Encoding.UTF8.GetBytes(marker)); f.Flush(true); f.Position = 50000; Console.WriteLine((char)f.ReadByte() + " " + f.Length); f.SetLength(60000);
    try { using FileStream second = File.OpenRead("r"); Console.WriteLine("opened twice"); } catch (IOException) { Console.WriteLine("locked"); }
}
using (var h = File.OpenHandle("r", FileMode.Open, FileAccess.ReadWrite, options: FileOptions.RandomAccess)) { RandomAccess.Write(h, [Encoding.UTF8.GetBytes("scattered "), Encoding.UTF8.GetBytes(marker)], 10); byte[] b = new byte[20]; Console.WriteLine(RandomAccess.Read(h, b, 10) + " " + Encoding.UTF8.GetString(b, 0, 9) + " " + RandomAccess.GetLength(h)); }
using (var m = MemoryMappedFile.CreateFromFile(File.OpenRead("text"), null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, false)) using (var v = m.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read)) Console.WriteLine((char)v.ReadByte(7));
await Task.WhenAll(Enumerable.Range(0, 40).Select(async n => { for (int i = 0; i < 10; i++) { await File.WriteAllTextAsync($"t{n}", string.Concat(Enumerable.Repeat($"{n} {marker} ", i * n))); if (n % 10 == 0) GC.Collect(); if ((await File.ReadAllTextAsync($"t{n}")).Length != new FileInfo($"t{n}").Length) Console.WriteLine("wrong length"); } }));
File.WriteAllLines("lines", Enumerable.Range(0, 5000).Select(i => $"{i} {marker}")); Console.WriteLine(File.ReadLines("lines").Count(l => l.StartsWith("49")));
File.Move("lines", "moved"); File.Replace("a", "moved", "backup"); File.CreateSymbolicLink("soft", "moved"); Directory.CreateDirectory("d/e"); File.Move("backup", "d/e/backup"); File.SetLastWriteTimeUtc("moved", DateTime.UnixEpoch.AddDays(9999)); File.SetUnixFileMode("moved", UnixFileMode.UserRead | UnixFileMode.UserWrite); Console.WriteLine(File.GetUnixFileMode("moved") + " " + File.GetLastWriteTimeUtc("moved").Ticks);
using (var zip = System.IO.Compression.ZipFile.Open("z.zip", System.IO.Compression.ZipArchiveMode.Create)) zip.CreateEntry("x").Open().Dispose();
try { File.ReadAllText("missing"); } catch (FileNotFoundException) { Console.WriteLine("no such file"); }
using (var p = System.Diagnostics.Process.Start("cp", ["moved", "copied"])) { p.WaitForExit(); Console.WriteLine(p.ExitCode); }
Console.WriteLine(string.Join(" ", Directory.EnumerateFileSystemEntries(".", "*", SearchOption.AllDirectories).Where(e => !e.StartsWith("./t")).Order(StringComparer.Ordinal)));
CSHARP
    (cd "$OUTSIDE/p" && dotnet build -v q --nologo -o "$OUTSIDE/built" >"$OUTSIDE/log" 2>&1 || tail -n 5 "$OUTSIDE/log")
    dotnet "$OUTSIDE/built/p.dll"
    checksum text r moved t?; volatile '*/z.zip'
    rm -rf "$OUTSIDE"/*
}
