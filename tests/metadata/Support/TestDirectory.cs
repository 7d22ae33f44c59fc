using System;
using System.IO;

namespace Overlay.Metadata.Tests.Support;

/// <summary>A private directory that is gone after the test.</summary>
internal sealed class TestDirectory : IDisposable
{
    public TestDirectory() => Path = Directory.CreateTempSubdirectory("overlay-metadata-").FullName;

    public string Path { get; }

    public string At(string name) => System.IO.Path.Combine(Path, name);

    public string KeyFile(string name = "key", byte fill = 7, int size = 32)
    {
        var bytes = new byte[size];
        Array.Fill(bytes, fill);
        File.WriteAllBytes(At(name), bytes);
        return At(name);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
