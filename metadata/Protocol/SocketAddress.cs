using System;
using System.Globalization;
using System.IO;
using System.Text;
using Overlay.Metadata.Interop;

namespace Overlay.Metadata.Protocol;

/// <summary>
/// A sockaddr_un for a path of any length. Its field holds 107 bytes; a longer path goes through
/// /proc/self/fd/&lt;its directory&gt;, which is open while this lives.
/// </summary>
internal sealed class SocketAddress : IDisposable
{
    internal const int MaxPathBytes = 107;

    private readonly byte[] _bytes;
    private int _directory = -1;

    internal SocketAddress(string path)
    {
        string shortPath = Encoding.UTF8.GetByteCount(path) <= MaxPathBytes ? path : ThroughDirectory(path);
        byte[] encoded = Encoding.UTF8.GetBytes(shortPath);
        if (encoded.Length is 0 or > MaxPathBytes || encoded.AsSpan().Contains((byte)0))
        {
            Dispose();
            throw Errno.Failure(Errno.NameTooLong, $"the socket path {path} cannot be used");
        }
        _bytes = new byte[2 + encoded.Length + 1];
        _bytes[0] = SocketCalls.AddressFamilyUnix;
        encoded.CopyTo(_bytes.AsSpan(2));
    }

    internal ReadOnlySpan<byte> Bytes => _bytes;

    public void Dispose() => PacketSocket.CloseIfOpen(ref _directory);

    private string ThroughDirectory(string path)
    {
        string directory = Path.GetDirectoryName(path) is { Length: > 0 } parent ? parent : ".";
        int flags = FileCalls.PathOnly | FileCalls.DirectoryOnly | FileCalls.CloseOnExec;
        _directory = FileCalls.Open(directory, flags, 0);
        if (_directory < 0)
            throw Errno.Failure($"opening {directory}");
        string number = _directory.ToString(CultureInfo.InvariantCulture);
        return $"/proc/self/fd/{number}/{Path.GetFileName(path)}";
    }
}
