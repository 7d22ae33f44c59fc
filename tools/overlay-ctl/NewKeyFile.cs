using System;
using System.IO;
using Overlay.Crypto;

namespace Overlay.Ctl;

/// <summary>A key file of 32 random bytes, for its owner alone.</summary>
internal static class NewKeyFile
{
    internal static void Make(string path)
    {
        byte[] key = new byte[32];
        NonceSource.Fill(key);
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
        using (FileStream stream = new(path, options))
        {
            stream.Write(key);
            stream.Flush(flushToDisk: true);
        }
        Secret.Wipe(key);
        Console.WriteLine($"A new key was written to {path}. Without it the files of the volume cannot be read: keep a copy elsewhere.");
    }
}
