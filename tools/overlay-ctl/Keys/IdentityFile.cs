using System;
using System.Globalization;
using System.IO;
using System.Text;
using Overlay.Crypto;
using Overlay.Metadata.Keys;

namespace Overlay.Ctl.Keys;

/// <summary>Files with secret text, for their owner alone.</summary>
internal static class IdentityFile
{
    internal static void Write(string path, ReadOnlySpan<byte> privateKey)
    {
        byte[] text = RecipientText.Private(privateKey);
        string now = DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        WriteNew(path, $"# made {now}\n# public key: {RecipientText.Public(RecipientSeal.PublicKey(privateKey))}\n", text);
        Secret.Wipe(text);
    }

    /// <summary>A new file, on the disk when this returns, of these lines and the secret one.</summary>
    internal static void WriteNew(string path, string comments, ReadOnlySpan<byte> secretLine)
    {
        FileStreamOptions options = new()
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite, BufferSize = 0,
        };
        using FileStream stream = new(path, options);
        stream.Write(Encoding.UTF8.GetBytes(comments));
        stream.Write(secretLine);
        stream.Write("\n"u8);
        stream.Flush(flushToDisk: true);
    }
}
