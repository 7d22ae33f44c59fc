using System;
using System.Collections.Generic;
using System.Threading;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Volumes;

namespace Overlay.Engine;

/// <summary>One volume of this process: its parameters, locks, counters, and keys in stock for files to come.</summary>
internal sealed class Volume : IKeySource
{
    private const int LargestBatch = 32;
    private const int LongestWait = 100, WaitMilliseconds = 20;

    /// <summary>Milliseconds.</summary>
    private const int NoteDelay = 200;

    private readonly AgentLink _agent;
    private readonly uint _bootWord;
    /// <summary>Used in the order in which they were granted, which is that of their rows: the keys of files that are made together lie together.</summary>
    private readonly Queue<GrantedKey> _stock = new();
    private readonly RecentKeys _recent = new();
    private readonly List<(byte[] FileId, string Path)> _notes = [];
    private readonly List<FileSequence> _states = [];
    private long _lastNotes, _lastStates;
    private int _nextBatch = 1;
    private uint _shreddings;

    /// <summary>The agent that keeps the volume's pages, where that is not ours.</summary>
    private AgentLink? _keeper;

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
        Suite = grant.Suite;
        Compresses = grant.Compress;
        BlockSizeLog2 = grant.BlockSizeLog2;
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

    internal CipherSuite Suite { get; }

    internal bool Compresses { get; }

    internal int BlockSizeLog2 { get; }

    internal LockFile Locks { get; }

    internal CoherenceTable Coherence { get; }

    /// <summary>What <see cref="CoherenceTable.Shreddings"/> was before the last key was got: whoever keeps it sees later ones.</summary>
    internal uint Shreddings => _shreddings;

    /// <summary>The agent says that there is no such key any more. Where no agent can be asked it is not known, and false.</summary>
    internal bool IsKeyGone(byte[] fileId)
    {
        byte[] key = GC.AllocateUninitializedArray<byte>(DataKey.KeySize, pinned: true);
        try
        {
            return !_agent.Ask(Id, Root, client => client.TryGetKey(Id, fileId, key));
        }
        catch (ErrnoException exception) when (exception.Errno == Errno.ENOTCONN)
        {
            return false;
        }
        finally
        {
            Secret.Wipe(key);
        }
    }

    public bool TryGetKey(ReadOnlySpan<byte> fileId, Span<byte> key)
    {
        uint shreddings = Coherence.Shreddings;
        if (shreddings != _shreddings)
            _recent.Clear();
        _shreddings = shreddings;
        if (_recent.TryGet(fileId, key))
            return true;
        byte[] id = fileId.ToArray();
        byte[] answer = GC.AllocateUninitializedArray<byte>(DataKey.KeySize, pinned: true);
        try
        {
            int most = _recent.NextBatch();
            bool isKnown = _agent.Ask(Id, Root, client => client.TryGetKeys(Id, id, most, (foundId, found) =>
            {
                if (foundId.SequenceEqual(id))
                    found.CopyTo(answer);
                _recent.Put(foundId, found);
            }));
            answer.CopyTo(key);
            return isKnown;
        }
        finally
        {
            Secret.Wipe(answer);
        }
    }

    public int GetKeysAnew(ReadOnlySpan<byte> fileId, Span<byte> keys)
    {
        byte[] id = fileId.ToArray();
        byte[] answer = GC.AllocateUninitializedArray<byte>(2 * DataKey.KeySize, pinned: true);
        try
        {
            int count = 0;
            _ = _agent.Ask(Id, Root, client =>
            {
                count = 0;
                return client.TryGetKeys(Id, id, 0, (_, found) => found.CopyTo(answer.AsSpan(count++ * DataKey.KeySize)));
            });
            // Of two the newer one will be asked for oftener.
            if (count > 0)
                _recent.Put(id, answer.AsSpan((count - 1) * DataKey.KeySize, DataKey.KeySize));
            answer.AsSpan(0, count * DataKey.KeySize).CopyTo(keys);
            return count;
        }
        finally
        {
            Secret.Wipe(answer);
        }
    }

    /// <summary>An id and key for a new file; the caller wipes it. Asked for in growing batches.</summary>
    internal GrantedKey TakeNewKey()
    {
        lock (_stock)
        {
            if (_stock.Count == 0)
            {
                GrantedKey[] batch = new GrantedKey[_nextBatch];
                int count = _agent.Ask(Id, Root, client => client.TakeNewKeys(Id, batch.Length, batch));
                for (int i = 0; i < count; i++)
                    _stock.Enqueue(batch[i]);
                _nextBatch = Math.Min(_nextBatch * 2, LargestBatch);
            }
            GrantedKey granted = _stock.Dequeue();
            _recent.Put(granted.FileId, granted.Key);
            return granted;
        }
    }

    /// <summary>A key that was taken and has sealed nothing: for the next new file.</summary>
    internal void GiveBack(GrantedKey granted)
    {
        lock (_stock)
            _stock.Enqueue(granted);
    }

    /// <summary>
    /// Tells the agent the name of a new file, for the store's records: at once, or, where many are made in a row, with the
    /// next ones. The key is durable without it.
    /// </summary>
    internal void NoteCreated(byte[] fileId, string path)
    {
        string relative = path.StartsWith(Root + "/", StringComparison.Ordinal) ? path[(Root.Length + 1)..] : path;
        lock (_stock)
        {
            _notes.Add((fileId, relative));
            if (_notes.Count < LargestBatch && Environment.TickCount64 - _lastNotes < NoteDelay)
                return;
        }
        SendNotes();
    }

    /// <summary>Tells the agent how far a file has come, so that an older copy of it in its place is found (format §5).</summary>
    internal void NoteState(ReadOnlySpan<byte> fileId, ulong sequence, uint seals)
    {
        lock (_stock)
        {
            _states.Add(new FileSequence(fileId.ToArray(), sequence, seals));
            if (_states.Count < LargestBatch && Environment.TickCount64 - _lastStates < NoteDelay)
                return;
        }
        SendStates();
    }

    /// <summary>Where no agent is there any more the store just knows less.</summary>
    private void SendStates()
    {
        FileSequence[] states;
        lock (_stock)
        {
            if (_states.Count == 0)
                return;
            states = [.. _states];
            _states.Clear();
            _lastStates = Environment.TickCount64;
        }
        _agent.TryTell(client => client.NoteStates(Id, _bootWord, states));
    }

    internal void SendNotes()
    {
        SendStates();
        (byte[] FileId, string Path)[] notes;
        lock (_stock)
        {
            if (_notes.Count == 0)
                return;
            notes = [.. _notes];
            _notes.Clear();
            _lastNotes = Environment.TickCount64;
        }
        _agent.Ask(Id, Root, client =>
        {
            client.NoteCreated(Id, notes);
            return true;
        });
    }

    /// <summary>A page file's descriptor, hidden from the program; or a negative errno, see <see cref="AgentClient.OpenPages"/>.</summary>
    internal int OpenPages(byte[] fileId, PageUse use, int backing) => AskKeeper(
        (AgentClient client, string own, out string elsewhere) => client.OpenPages(Id, fileId, use, backing, own, out elsewhere));

    /// <summary>The same for viewing, with a page file that the keeper takes over if its own was lost with another keeper.</summary>
    internal int OfferPages(byte[] fileId, int pages, int backing) => AskKeeper(
        (AgentClient client, string own, out string elsewhere) => client.OfferPages(Id, fileId, pages, backing, own, out elsewhere));

    /// <summary>A description of the lock file for one lock that lasts as long as it is open anywhere. -1: the volume is read-only.</summary>
    internal int OpenLocksAnew()
    {
        int fd = OpenOrBorrow("locks");
        return fd < 0 ? fd : Descriptors.MoveAway(fd);
    }

    private delegate int PagesQuestion(AgentClient client, string ownAgent, out string elsewhere);

    private int AskKeeper(PagesQuestion question)
    {
        for (int attempt = 0; ; attempt++)
        {
            string elsewhere = "";
            int fd;
            try
            {
                fd = _agent.Ask(Id, Root, client => question(client, "", out elsewhere));
            }
            catch (ErrnoException exception) when (exception.Errno == Errno.ENOTCONN && (elsewhere = KeeperAddress.Find(Root)).Length > 0)
            {
                fd = -Errno.EREMOTE; // ours is gone, but another one may have been started
            }
            if (fd == -Errno.EREMOTE)
            {
                try
                {
                    if (_keeper is null || _keeper.Address != elsewhere)
                        _keeper = _agent.At(elsewhere);
                    fd = _keeper.Ask(Id, Root, client => question(client, _agent.Address ?? AgentAddress.ForVolume(Id), out _));
                }
                catch (ErrnoException exception) when (exception.Errno == Errno.ENOTCONN && _agent.IsAlive && attempt < LongestWait)
                {
                    fd = -Errno.EAGAIN; // it has just ended; ours, or another, will follow it
                }
            }
            bool mayPass = fd is -Errno.EAGAIN or -Errno.EREMOTE;
            if (!mayPass || attempt >= LongestWait)
                return fd < 0 ? fd : Descriptors.MoveAway(fd);
            Thread.Sleep(WaitMilliseconds);
        }
    }

    /// <summary>The agent opens for reading and writing what this process has open for writing.</summary>
    internal int Reopen(int fd) => _agent.Ask(Id, Root, client => client.Reopen(Id, fd));

    internal bool Contains(string path) =>
        Root == "/" || (path.StartsWith(Root, StringComparison.Ordinal) && (path.Length == Root.Length || path[Root.Length] == '/'));

    /// <summary>The parent has the same keys in stock, and will use them.</summary>
    internal void AfterFork()
    {
        while (_stock.TryDequeue(out GrantedKey key))
            key.Wipe();
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
