using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Data;

/// <summary>
/// <c>.overlay/import</c>, or <c>.overlay-export</c> in a target: where copies are made, out of the sight of others, on the file system where
/// they are to lie. One import or export at a time works in it; a lock says so, which dies with its process.
/// </summary>
internal sealed class Staging : IDisposable
{
    private const uint OwnerOnly = 0x1C0, OwnerFile = 0x180;
    private const string LockName = "lock", RecordName = "batch", NewRecordName = "batch.new";

    private readonly string _path;
    private readonly int _directory, _lock;
    private int _next;

    /// <param name="isOnlyOurs">Where others may write, too, one of them could have made it.</param>
    private Staging(string path, bool isOnlyOurs)
    {
        _path = path;
        if (Calls.MakeDirectory(-100, Name(_path), OwnerOnly) != 0 && Calls.LastError != Errno.EEXIST)
            throw Tree.Failure($"{_path} cannot be made");
        _directory = Calls.OpenAt(-100, Name(_path), Calls.DirectoryOnly | Calls.NoFollow | Calls.CloseOnExec, 0);
        if (_directory < 0)
            throw Tree.Failure($"{_path} cannot be opened");
        NodeStatus status = Tree.StatusOf(_directory);
        const uint Others = 0x3F;
        if ((status.Mode & Others) != 0 || (isOnlyOurs && status.UserId != Posix.EffectiveUserId()))
        {
            _ = Calls.Close(_directory);
            throw new ControlException(ExitCodes.Failed, $"{_path} belongs to another user, or is open to others: remove it.");
        }
        _lock = Calls.OpenAt(_directory, Name(LockName), Calls.ReadWrite | 0x40 | Calls.NoFollow | Calls.CloseOnExec, OwnerFile);
        if (_lock >= 0 && Calls.Lock(_lock, Calls.LockExclusive | Calls.LockNoWait) == 0)
            return;
        ErrnoException failure = Tree.Failure($"{_path}/{LockName} cannot be locked");
        Dispose();
        throw failure.Errno == Errno.EAGAIN ? new ControlException(ExitCodes.Volume, $"another import or export works in {path}: wait until it has ended.") : failure;
    }

    internal static Staging OfVolume(string root) => new(Path.Combine(root, VolumePaths.DirectoryName, "import"), isOnlyOurs: false);

    /// <summary>Of the target of an export.</summary>
    internal static Staging OfTarget(string target) => new(Path.Combine(target, ".overlay-export"), isOnlyOurs: true);

    internal int Directory => _directory;

    internal int NextNumber() => _next++;

    internal string PathOf(int number) => Path.Combine(_path, Text(number));

    internal static byte[] NameOf(int number) => Name(Text(number));

    /// <summary>For calls without a directory's descriptor.</summary>
    internal byte[] ProcPath(int number) => Name($"/proc/self/fd/{Text(_directory)}/{Text(number)}");

    internal void Remove(int number)
    {
        if (Calls.Unlink(_directory, NameOf(number), 0) != 0 && Calls.LastError != Errno.ENOENT)
            throw Tree.Failure($"{PathOf(number)} cannot be removed");
    }

    internal bool TryStatus(int number, out NodeStatus status) => Tree.TryStatus(_directory, NameOf(number), out status);

    /// <summary>Everything that was written to the volume's file system is on the disk.</summary>
    internal void SyncAll()
    {
        if (Calls.SyncFileSystem(_directory) != 0)
            throw Tree.Failure("the file system cannot be synced");
    }

    /// <summary>Says what is about to get its name, and the times that directories had. Not on the disk yet when this returns.</summary>
    internal void WriteRecord(BatchRecord record)
    {
        File.WriteAllBytes(Path.Combine(_path, NewRecordName), record.ToJson());
        if (Calls.Rename(_directory, Name(NewRecordName), _directory, Name(RecordName), 0) != 0)
            throw Tree.Failure("the import's record cannot be written");
    }

    /// <summary>Null: no import was interrupted where it matters.</summary>
    internal BatchRecord? ReadRecord()
    {
        string path = Path.Combine(_path, RecordName);
        return File.Exists(path) ? BatchRecord.Parse(File.ReadAllBytes(path)) : null;
    }

    internal void RemoveRecord()
    {
        if (Calls.Unlink(_directory, Name(RecordName), 0) != 0 && Calls.LastError != Errno.ENOENT)
            throw Tree.Failure("the import's record cannot be removed");
    }

    /// <summary>Copies that were begun and never got a name.</summary>
    /// <param name="volumeId">Only what is sealed is one; "": everything is.</param>
    internal void RemoveLeftovers(ReadOnlySpan<byte> volumeId)
    {
        _next = 0;
        using Tree own = new(_path);
        foreach (byte[] name in own.List([]).Where(name => Encoding.UTF8.GetString(name) is not (LockName or RecordName)))
        {
            if (!volumeId.IsEmpty && Encoding.UTF8.GetString(name) != NewRecordName)
                RefusePlain(own, name, volumeId);
            if (Calls.Unlink(_directory, TreePath.Terminated(name), 0) != 0)
                throw Tree.Failure($"{_path}/{TreePath.Show(name)} cannot be removed");
        }
    }

    /// <summary>The end of an export, which leaves nothing of its own behind.</summary>
    internal void RemoveDirectory()
    {
        _ = Calls.Unlink(_directory, Name(LockName), 0);
        _ = Calls.Unlink(-100, Name(_path), Calls.RemoveDirectory);
    }

    public void Dispose()
    {
        if (_lock >= 0)
            _ = Calls.Close(_lock);
        _ = Calls.Close(_directory);
    }

    /// <summary>Nothing here is ever plain without a record of it; if it is, somebody's only copy is not for us to delete.</summary>
    private void RefusePlain(Tree own, byte[] name, ReadOnlySpan<byte> volumeId)
    {
        using PlainSource file = PlainSource.Open(own, name, wantsLease: false);
        if (FileKinds.Of(file, volumeId) is not (FileKind.Sealed or FileKind.Empty))
            throw new ControlException(ExitCodes.Volume, $"{_path}/{TreePath.Show(name)} is no sealed file of this volume, and no record says whose it is: move it away.");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static byte[] Name(string name) => TreePath.Terminated(TreePath.FromText(name));
}
