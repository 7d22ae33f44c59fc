using System;
using System.Collections.Generic;
using System.Threading;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Policy;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Volumes;

namespace Overlay.Engine;

/// <summary>One volume of this process: its parameters, locks, counters, and keys in stock for files to come.</summary>
internal sealed class Volume
{
    /// <summary>Of keys that are asked for, and of notes that are sent: each costs two changes of process.</summary>
    private const int LargestBatch = 64;
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
    private uint _shreddings, _stockShreddings;

    /// <summary>The agent has to be shown each file that a key is asked for: the volume has a policy.</summary>
    private volatile bool _showsFiles;

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

    /// <summary>What <see cref="CoherenceTable.Shreddings"/> was before the last key was got: whoever keeps it sees later ones.</summary>
    internal uint Shreddings => _shreddings;

    /// <summary>The agent says that there is no such key any more. Where no agent can be asked it is not known, and false.</summary>
    internal bool IsKeyGone(byte[] fileId)
    {
        try
        {
            return !_agent.Ask(Id, Root, client => client.HasKey(Id, fileId));
        }
        catch (ErrnoException exception) when (exception.Errno == Errno.ENOTCONN)
        {
            return false;
        }
    }

    /// <param name="file">A descriptor of the file that can be read.</param>
    internal bool TryGetKey(ReadOnlySpan<byte> fileId, int file, Span<byte> key)
    {
        uint shreddings = Coherence.Shreddings;
        if (shreddings != _shreddings)
        {
            _recent.Clear();
            _showsFiles = false;
        }
        _shreddings = shreddings;
        if (_recent.TryGet(fileId, key, out int more))
        {
            if (more > 0)
                AskAhead(more, shreddings);
            return true;
        }
        byte[] id = fileId.ToArray();
        byte[] answer = GC.AllocateUninitializedArray<byte>(DataKey.KeySize, pinned: true);
        try
        {
            bool isKnown = AskShowing(file, (client, shown) =>
            {
                // What was asked for ahead is answered first.
                while (client.TakeMore(out bool hasWaited))
                {
                    if (hasWaited)
                        _recent.AskEarlier();
                    if (_recent.TryGet(id, answer))
                        return true;
                }
                return client.TryGetKeys(Id, id, _recent.NextBatch(), (foundId, found) =>
                {
                    if (foundId.SequenceEqual(id))
                        found.CopyTo(answer);
                    _recent.Put(foundId, found);
                }, shown);
            });
            answer.CopyTo(key);
            return isKnown;
        }
        finally
        {
            Secret.Wipe(answer);
        }
    }

    /// <summary>The keys of files that follow are on their way when they are needed. Were keys destroyed meanwhile, what comes is not kept.</summary>
    private void AskAhead(int most, uint shreddings) => _agent.TryTellAside(client =>
    {
        for (int underWay = client.MoreUnderWay; underWay < _recent.Window; underWay++)
        {
            bool isFirst = true;
            client.AskForMore(Id, most, (foundId, found) =>
            {
                if (Coherence.Shreddings != shreddings)
                    return;
                if (isFirst)
                    _recent.BeginBatch();
                isFirst = false;
                _recent.Put(foundId, found);
            });
        }
    });

    internal int GetKeysAnew(ReadOnlySpan<byte> fileId, int file, Span<byte> keys)
    {
        byte[] id = fileId.ToArray();
        byte[] answer = GC.AllocateUninitializedArray<byte>(2 * DataKey.KeySize, pinned: true);
        try
        {
            int count = 0;
            _ = AskShowing(file, (client, shown) =>
            {
                count = 0;
                return client.TryGetKeys(Id, id, 0, (_, found) => found.CopyTo(answer.AsSpan(count++ * DataKey.KeySize)), shown);
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

    /// <summary>Asks the agent, and shows it the file where it wants to see that.</summary>
    private T AskShowing<T>(int file, Func<AgentClient, int, T> question)
    {
        try
        {
            try
            {
                return _agent.Ask(Id, Root, client => question(client, _showsFiles ? file : -1));
            }
            catch (ErrnoException exception) when (exception.Errno == Errno.EDESTADDRREQ && file >= 0)
            {
                _showsFiles = true;
                return _agent.Ask(Id, Root, client => question(client, file));
            }
        }
        catch (ErrnoException exception) when (exception.Errno is Errno.EKEYREJECTED or Errno.EDESTADDRREQ)
        {
            throw new ErrnoException(Errno.EACCES, "the volume's policy does not allow it"); // the agent's log says why
        }
    }

    /// <summary>An id and key for the new file behind a descriptor; the caller wipes it. Asked for in growing batches where no policy is in the way.</summary>
    internal GrantedKey TakeNewKey(int file, out FileSettings settings)
    {
        FileSettings said = Standard;
        lock (_stock)
        {
            uint shreddings = Coherence.Shreddings;
            if (shreddings != _stockShreddings)
                ForgetStock(); // a policy may have come since
            _stockShreddings = shreddings;
            if (_stock.Count == 0)
                AskShowing(file, (client, shown) => Restock(client, shown, ref said));
            settings = said;
            GrantedKey granted = _stock.Dequeue();
            _recent.Put(granted.FileId, granted.Key);
            return granted;
        }
    }

    private bool Restock(AgentClient client, int shown, ref FileSettings settings)
    {
        if (shown >= 0)
        {
            _stock.Enqueue(client.TakeNewKey(Id, shown, out settings));
            return true;
        }
        GrantedKey[] batch = new GrantedKey[_nextBatch];
        int count = client.TakeNewKeys(Id, batch.Length, batch);
        for (int i = 0; i < count; i++)
            _stock.Enqueue(batch[i]);
        _nextBatch = Math.Min(_nextBatch * 2, LargestBatch);
        return true;
    }

    /// <summary>A key that was taken and has sealed nothing: for the next new file, unless the agent gave it for this one.</summary>
    internal void GiveBack(GrantedKey granted)
    {
        lock (_stock)
        {
            if (_showsFiles)
                granted.Wipe();
            else
                _stock.Enqueue(granted);
        }
    }

    private void ForgetStock()
    {
        _showsFiles = false;
        while (_stock.TryDequeue(out GrantedKey key))
            key.Wipe();
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
            if (MayWait(_notes.Count, _lastNotes))
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
            if (MayWait(_states.Count, _lastStates))
                return;
        }
        SendStates();
    }

    private static bool MayWait(int notes, long last) => notes < LargestBatch && Environment.TickCount64 - last < NoteDelay;

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
            if (fd == -Errno.EREMOTE && TryKeeper(question, elsewhere, out int answer))
                fd = answer;
            else if (fd == -Errno.EREMOTE && _agent.IsAlive && attempt < LongestWait)
                fd = -Errno.EAGAIN; // it has just ended; ours, or another, will follow it
            else if (fd == -Errno.EREMOTE)
                throw new ErrnoException(Errno.ENOTCONN, "the agent that keeps the pages cannot be reached");
            if (fd == -Errno.EKEYREJECTED)
                return -Errno.EACCES;
            if (fd != -Errno.EAGAIN || attempt >= LongestWait)
                return fd < 0 ? fd : Descriptors.MoveAway(fd);
            Thread.Sleep(WaitMilliseconds);
        }
    }

    /// <summary>At its address in the volume, which other containers have as well, or, for other users, at the one that it tells.</summary>
    private bool TryKeeper(PagesQuestion question, string elsewhere, out int answer)
    {
        string inVolume = KeeperAddress.InVolume(Root);
        // Where the last one was found comes first: no connection is made in vain each time.
        string[] addresses = _keeper?.Address == elsewhere ? [elsewhere, inVolume] : [inVolume, elsewhere];
        foreach (string address in addresses)
        {
            if (_keeper?.Address != address)
                _keeper = _agent.At(address);
            try
            {
                answer = _keeper.Ask(Id, Root, client => question(client, _agent.Address ?? AgentAddress.ForVolume(Id), out _));
                if (answer != -Errno.EREMOTE)
                    return true; // in another container the same path is an agent that keeps nothing
            }
            catch (ErrnoException exception) when (exception.Errno == Errno.ENOTCONN)
            {
                continue;
            }
        }
        answer = 0;
        return false;
    }

    /// <summary>The agent opens for reading and writing what this process has open for writing.</summary>
    internal int Reopen(int fd) => _agent.Ask(Id, Root, client => client.Reopen(Id, fd));

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
