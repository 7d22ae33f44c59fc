using System.IO.MemoryMappedFiles;
using System.Text;
string marker = Environment.GetEnvironmentVariable("MARKER")!, inputs = Environment.GetEnvironmentVariable("INPUTS")!;
File.WriteAllText("a", $"hello {marker}\n");
File.AppendAllText("a", "more\n");
Console.Write(File.ReadAllText("a"));
File.Copy(inputs + "/text.txt", "text");
Console.WriteLine(new FileInfo("text").Length + " " +
                  File.ReadAllBytes("text").AsSpan().SequenceEqual(File.ReadAllBytes(inputs + "/text.txt")));
using (FileStream f = new("r", FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None))
{
    f.SetLength(100000);
    f.Position = 50000;
    f.Write(Encoding.UTF8.GetBytes(marker));
    f.Flush(true);
    f.Position = 50000;
    Console.WriteLine((char)f.ReadByte() + " " + f.Length);
    f.SetLength(60000);
    try
    {
        using FileStream second = File.OpenRead("r");
        Console.WriteLine("opened twice");
    }
    catch (IOException)
    {
        Console.WriteLine("locked");
    }
}
using (var h = File.OpenHandle("r", FileMode.Open, FileAccess.ReadWrite, options: FileOptions.RandomAccess))
{
    RandomAccess.Write(h, [Encoding.UTF8.GetBytes("scattered "), Encoding.UTF8.GetBytes(marker)], 10);
    byte[] b = new byte[20];
    Console.WriteLine(RandomAccess.Read(h, b, 10) + " " + Encoding.UTF8.GetString(b, 0, 9) + " " +
                      RandomAccess.GetLength(h));
}
using (FileStream text = File.OpenRead("text"))
using (var map = MemoryMappedFile.CreateFromFile(
    text, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true))
using (var view = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read))
{
    Console.WriteLine((char)view.ReadByte(7));
}
await Task.WhenAll(Enumerable.Range(0, 40).Select(
    async n =>
    {
        for (int i = 0; i < 10; i++)
        {
            await File.WriteAllTextAsync($"t{n}", string.Concat(Enumerable.Repeat($"{n} {marker} ", i * n)));
            if (n % 10 == 0)
                GC.Collect();
            if ((await File.ReadAllTextAsync($"t{n}")).Length != new FileInfo($"t{n}").Length)
                Console.WriteLine("wrong length");
        }
    }));
File.WriteAllLines("lines", Enumerable.Range(0, 5000).Select(i => $"{i} {marker}"));
Console.WriteLine(File.ReadLines("lines").Count(l => l.StartsWith("49")));
File.Move("lines", "moved");
File.Replace("a", "moved", "backup");
File.CreateSymbolicLink("soft", "moved");
Directory.CreateDirectory("d/e");
File.Move("backup", "d/e/backup");
File.SetLastWriteTimeUtc("moved", DateTime.UnixEpoch.AddDays(9999));
File.SetUnixFileMode("moved", UnixFileMode.UserRead | UnixFileMode.UserWrite);
Console.WriteLine(File.GetUnixFileMode("moved") + " " + File.GetLastWriteTimeUtc("moved").Ticks);
using (var zip = System.IO.Compression.ZipFile.Open("z.zip", System.IO.Compression.ZipArchiveMode.Create))
{
    zip.CreateEntry("x").Open().Dispose();
}
try
{
    File.ReadAllText("missing");
}
catch (FileNotFoundException)
{
    Console.WriteLine("no such file");
}
using (var p = System.Diagnostics.Process.Start("cp", ["moved", "copied"]))
{
    p.WaitForExit();
    Console.WriteLine(p.ExitCode);
}
var names = Directory.EnumerateFileSystemEntries(".", "*", SearchOption.AllDirectories);
Console.WriteLine(string.Join(" ", names.Where(name => !name.StartsWith("./t")).Order(StringComparer.Ordinal)));
