using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Policy;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Volumes;

namespace Overlay.Engine;

/// <summary>One volume of this process: its parameters, locks and counters. Keys, notes and pages, for which its agent is asked: the other parts.</summary>
internal sealed partial class Volume
{
    private readonly AgentLink _agent;
    private readonly uint _bootWord;

    /// <exception cref="ErrnoException">Not a volume, or its agent does not serve it.</exception>
    internal Volume(string root, AgentLink agent, uint bootWord)
    {
        Root = root;
        _bootWord = bootWord;
        _agent = agent;
        // With a given agent the volume's own files need not be readable to us; otherwise its id tells where the agent listens.
        byte[] id = agent.HasAddress ? [] : LoadId(root);
        VolumeGrant grant = agent.Ask(id, root, client => client.Attach(root));
        Id = grant.VolumeId;
        Locks = new LockFile(() => OpenOrBorrow("locks"));
        if (!OpenLocks())
            EngineLog.Write(root, "the volume is read-only");
        int table = OpenOrBorrow("coherence");
        try
        {
            Coherence = new CoherenceTable(table, Locks, bootWord);
        }
        finally
        {
            if (table >= 0)
                _ = Kernel.Close(table);
        }
        Standard = new FileSettings(grant.Suite, grant.Compress, grant.BlockSizeLog2);
        SeesCiphertext = grant.SeesCiphertext;
    }

    /// <summary>Now rather than at the first write. False: nobody writes here, so nobody locks; a try to write says so.</summary>
    internal bool OpenLocks()
    {
        try
        {
            _ = Locks.Open();
            return true;
        }
        catch (ErrnoException exception) when (exception.Errno == Errno.EROFS)
        {
            return false;
        }
    }

    internal string Root { get; }

    internal byte[] Id { get; }

    /// <summary>How new files are stored, unless a policy says otherwise.</summary>
    internal FileSettings Standard { get; }

    internal int BlockSizeLog2 => Standard.BlockSizeLog2;

    /// <summary>By the volume's policy this process gets no keys, and reads files as they lie on disk.</summary>
    internal bool SeesCiphertext { get; }

    internal LockFile Locks { get; }

    internal CoherenceTable Coherence { get; }

    /// <summary>A description of the lock file for one lock that lasts as long as it is open anywhere. -1: the volume is read-only.</summary>
    internal int OpenLocksAnew()
    {
        int fd = OpenOrBorrow("locks");
        return fd < 0 ? fd : Descriptors.MoveAway(fd);
    }

    /// <summary>The agent opens for reading and writing what this process has open for writing.</summary>
    internal int Reopen(int fd) => _agent.Ask(Id, Root, client => client.Reopen(Id, fd));

    /// <summary>The size that the header of a file claims which this process may not open. Negative: the agent may not, either.</summary>
    /// <param name="fd">Perhaps one by O_PATH.</param>
    internal long SizeOf(int fd) => _agent.Ask(Id, Root, client => client.SizeOf(Id, fd));

    internal bool Contains(string path) =>
        Root == "/" || (path.StartsWith(Root, StringComparison.Ordinal) && (path.Length == Root.Length || path[Root.Length] == '/'));

    /// <summary>The parent has the same keys in stock, and will use them.</summary>
    internal void AfterFork()
    {
        ForgetStock();
        _notes.Clear();
        _states.Clear();
        Locks.AfterFork();
        Coherence.AfterFork();
        _keeper?.AfterFork();
    }

    /// <summary>
    /// A file of <c>.overlay</c>, opened by us or, where we may not, by the agent. -1: nobody may write it, on a read-only volume.
    /// </summary>
    private int OpenOrBorrow(string name)
    {
        int fd = KernelFile.Open(Kernel.CurrentDirectory, $"{Root}/.overlay/{name}", Kernel.O_RDWR);
        if (fd >= 0)
            return fd;
        try
        {
            return _agent.Ask(Id, Root, client => client.Borrow(Id, isCoherence: name == "coherence"));
        }
        catch (ErrnoException exception) when (exception.Errno == Errno.EROFS)
        {
            return -1;
        }
    }

    private static byte[] LoadId(string root)
    {
        try
        {
            return VolumeConfig.Load(root).VolumeId;
        }
        catch (VolumeException exception)
        {
            EngineLog.Write(root, exception.Message);
            throw new ErrnoException(Errno.ENOTCONN, exception.Message);
        }
    }
}
