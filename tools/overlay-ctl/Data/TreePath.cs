using System;
using System.Text;
using Overlay.Ctl.Verify;

namespace Overlay.Ctl.Data;

/// <summary>Paths below a tree's root, as the bytes that the kernel has, without a zero at the end; "" is the root.</summary>
internal static class TreePath
{
    internal static byte[] Join(byte[] directory, ReadOnlySpan<byte> name) => directory.Length == 0 ? name.ToArray() : [.. directory, (byte)'/', .. name];

    internal static byte[] Parent(byte[] path)
    {
        int slash = path.AsSpan().LastIndexOf((byte)'/');
        return slash < 0 ? [] : path[..slash];
    }

    internal static byte[] Name(byte[] path) => path[(path.AsSpan().LastIndexOf((byte)'/') + 1)..];

    /// <summary>As an argument of a call.</summary>
    internal static byte[] Terminated(ReadOnlySpan<byte> name) => [.. name, 0];

    internal static byte[] FromText(string path) => Encoding.UTF8.GetBytes(path);

    /// <summary>For the store, whose paths are texts: what is no UTF-8 is replaced.</summary>
    internal static string Text(byte[] path) => Encoding.UTF8.GetString(path);

    /// <summary>For people.</summary>
    internal static string Show(byte[] path) => path.Length == 0 ? "." : FindingText.Escape(Text(path));
}
