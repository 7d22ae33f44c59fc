using System;
using System.IO;

namespace Overlay.Shim.Tests;

internal sealed class TemporaryDirectory : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory("overlay-tests-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
