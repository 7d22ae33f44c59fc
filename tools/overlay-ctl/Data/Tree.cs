using System;
using System.Collections.Generic;
using Overlay.Crypto;
using Overlay.Files;

namespace Overlay.Ctl.Data;

/// <summary>
/// A directory and what lies below it. Every step down is taken from the directory's descriptor and follows no symbolic link, so that
/// nobody who may rename things in the tree leads us out of it.
/// </summary>
internal sealed unsafe class Tree : IDisposable
{
    private readonly int _root;
    private byte[] _openedPath = [];
    private int _opened = -1;

    /// <exception cref="ErrnoException">There is no such directory, or it cannot be opened.</exception>
    internal Tree(string root)
    {
        Root = root;
        // The one path that is followed: it is the user's own word.
        _root = Calls.OpenAt(-100, TreePath.Terminated(TreePath.FromText(root)), Calls.DirectoryOnly | Calls.CloseOnExec, 0);
        if (_root < 0)
            throw Failure($"{root} cannot be opened");
        Status(_root, [], Calls.EmptyPath, out NodeStatus status);
        RootStatus = status;
    }

    internal string Root { get; }

    internal int Descriptor => _root;

    internal NodeStatus RootStatus { get; }

    /// <summary>The directory that holds it, open until the next call; not to be closed.</summary>
    internal int ParentOf(byte[] path) => Open(TreePath.Parent(path));

    internal static byte[] NameOf(byte[] path) => path.Length == 0 ? [(byte)'.', 0] : TreePath.Terminated(TreePath.Name(path));

    /// <summary>A directory below the root, open until the next call; not to be closed.</summary>
    internal int Open(byte[] directory)
    {
        if (directory.Length == 0)
            return _root;
        if (_opened >= 0 && directory.AsSpan().SequenceEqual(_openedPath))
            return _opened;
        Forget();
        int at = Calls.Duplicate(_root);
        foreach (Range part in Split(directory))
        {
            int next = Calls.OpenAt(at, TreePath.Terminated(directory.AsSpan(part)), Calls.DirectoryOnly | Calls.NoFollow | Calls.CloseOnExec, 0);
            ErrnoException? failure = next < 0 ? Failure("the directory cannot be opened") : null;
            _ = Calls.Close(at);
            at = failure is null ? next : throw failure;
        }
        (_opened, _openedPath) = (at, directory);
        return at;
    }

    /// <summary>False: there is nothing of that name, or what should be a directory on the way to it is none.</summary>
    internal bool TryStatus(byte[] path, out NodeStatus status)
    {
        status = default;
        try
        {
            return TryStatus(ParentOf(path), NameOf(path), out status);
        }
        catch (ErrnoException exception) when (exception.Errno is Errno.ENOENT or Calls.NotADirectory)
        {
            return false;
        }
    }

    internal static bool TryStatus(int directory, byte[] name, out NodeStatus status)
    {
        if (Status(directory, name, Calls.NoFollowLink, out status))
            return true;
        return Calls.LastError is Errno.ENOENT or Calls.NotADirectory ? false : throw Failure("it cannot be looked at");
    }

    internal static NodeStatus StatusOf(int descriptor) =>
        Status(descriptor, [0], Calls.EmptyPath, out NodeStatus status) ? status : throw Failure("it cannot be looked at");

    /// <summary>The names in a directory, in the order of their bytes.</summary>
    internal List<byte[]> List(byte[] directory)
    {
        int own = Calls.OpenAt(Open(directory), [(byte)'.', 0], Calls.DirectoryOnly | Calls.CloseOnExec, 0);
        nint listing = own < 0 ? 0 : Calls.OpenListing(own);
        if (listing == 0)
            throw Failure("the directory cannot be read");
        const int NameOffset = 19; // struct dirent64
        List<byte[]> names = [];
        byte* entry;
        while ((entry = Calls.ReadListing(listing)) != null)
        {
            ReadOnlySpan<byte> name = System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + NameOffset);
            if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                names.Add(name.ToArray());
        }
        _ = Calls.CloseListing(listing);
        names.Sort(static (a, b) => a.AsSpan().SequenceCompareTo(b));
        return names;
    }

    /// <summary>For the calls that take no directory's descriptor. Good until the next call.</summary>
    internal byte[] ProcPath(byte[] path) =>
        [.. TreePath.FromText($"/proc/self/fd/{ParentOf(path).ToString(System.Globalization.CultureInfo.InvariantCulture)}/"), .. NameOf(path)];

    internal void SetTimes(byte[] path, in NodeStatus like) => Attributes.SetTimes(ParentOf(path), NameOf(path), like);

    internal static ErrnoException Failure(string what) =>
        new(Calls.LastError, $"{what}: {new System.ComponentModel.Win32Exception(Calls.LastError).Message}");

    public void Dispose()
    {
        Forget();
        _ = Calls.Close(_root);
    }

    private void Forget()
    {
        if (_opened >= 0)
            _ = Calls.Close(_opened);
        _opened = -1;
    }

    private static bool Status(int directory, byte[] name, int flags, out NodeStatus status)
    {
        NodeStatus found;
        bool isThere = Calls.Status(directory, name.Length == 0 ? [0] : name, flags, NodeStatus.Basic, &found) == 0;
        status = found;
        return isThere;
    }

    private static List<Range> Split(byte[] path)
    {
        List<Range> parts = [];
        int start = 0;
        for (int i = 0; i <= path.Length; i++)
        {
            if (i < path.Length && path[i] != (byte)'/')
                continue;
            parts.Add(start..i);
            start = i + 1;
        }
        return parts;
    }
}
