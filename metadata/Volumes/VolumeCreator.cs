using System;
using System.IO;
using System.Linq;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Store;

namespace Overlay.Metadata.Volumes;

/// <summary>
/// Makes a directory a volume. Order, each step on the disk before the next:
/// <list type="number">
/// <item>config.json.new: whatever is found later without a config.json is known to be ours, unfinished, and for which store.</item>
/// <item>the store, complete under a temporary name, then renamed.</item>
/// <item>locks and coherence.</item>
/// <item>config.json.new becomes config.json. Only now is it a volume.</item>
/// </list>
/// Killed in between, it can be made again. A store without either configuration is never touched: it may be a volume's.
/// </summary>
public static class VolumeCreator
{
    private const int FirstKeyVersion = 1;

    private static readonly string[] s_ownNames =
    [
        VolumePaths.ConfigName + VolumePaths.UnfinishedSuffix, VolumePaths.StoreName, VolumePaths.LocksName,
        VolumePaths.CoherenceName,
    ];

    /// <summary>
    /// Makes the volume and its first key slot; the directory is made if only its last part is missing.
    /// </summary>
    public static VolumeConfig Create(string root, KeySecret secret, VolumeOptions options)
    {
        ArgumentNullException.ThrowIfNull(secret);
        ArgumentNullException.ThrowIfNull(options);
        CheckOptions(options);
        VolumePaths paths = new(root);
        PrepareRoot(paths, options);
        using DirectoryLock ours = DirectoryLock.Take(paths.Overlay);
        ClearUnfinished(paths);

        byte[] volumeId = new byte[16];
        NonceSource.Fill(volumeId);
        VolumeConfig config = new(volumeId, ChooseStore(paths, options), 1 << options.BlockSizeLog2);
        byte[] json = config.ToJson();
        VolumeFiles.Write(paths.UnfinishedConfig, json, json.Length);
        VolumeFiles.Sync(paths.Overlay);
        CreateStore(paths.Store(config), volumeId, secret, options);
        VolumeFiles.Write(Path.Combine(paths.Overlay, VolumePaths.LocksName), default, 0);
        // Written, not a hole: it is mapped, and a full disk could not give the pages later.
        VolumeFiles.Write(Path.Combine(paths.Overlay, VolumePaths.CoherenceName), new byte[CoherenceLayout.Size], CoherenceLayout.Size);
        VolumeFiles.Rename(paths.UnfinishedConfig, paths.Config);
        VolumeFiles.Sync(paths.Overlay);
        VolumeFiles.Sync(paths.Root);
        return config;
    }

    private static void CheckOptions(VolumeOptions options)
    {
        if (!Enum.IsDefined(options.Suite))
            throw new VolumeException(VolumeError.BadOption, $"There is no cipher {(int)options.Suite}.");
        if (options.BlockSizeLog2 is < 12 or > 20)
            throw new VolumeException(VolumeError.BadOption, "The block size must be a power of two from 4 KiB to 1 MiB.");
        if (options.PassphraseCost is { IsInRange: false })
            throw new VolumeException(VolumeError.BadOption, "The cost of the passphrase is out of range.");
    }

    private static void PrepareRoot(VolumePaths paths, VolumeOptions options)
    {
        _ = VolumeFiles.TryMakeDirectory(paths.Root);
        if (!VolumeFiles.IsDirectory(paths.Root))
            throw new VolumeException(VolumeError.NotADirectory, $"{paths.Root} is not a directory.");
        if (VolumeFiles.Exists(paths.Config))
            throw new VolumeException(VolumeError.AlreadyAVolume, $"{paths.Root} is an Overlay volume already.");
        bool hasOthers = Directory.EnumerateFileSystemEntries(paths.Root).Any(
            entry => Path.GetFileName(entry) != VolumePaths.DirectoryName);
        if (hasOthers && !options.AllowNonEmpty)
            throw new VolumeException(VolumeError.NotEmpty, $"{paths.Root} is not empty; its files would stay unencrypted.");
        if (VolumeFiles.TryMakeDirectory(paths.Overlay))
        {
            VolumeFiles.KeepInPlace(paths.Overlay);
            return;
        }
        VolumeFiles.TryStatus(paths.Overlay, out FileStatus status);
        if (status.Type != FileStatus.Directory || status.UserId != ProcessCalls.EffectiveUserId())
            throw new VolumeException(VolumeError.NotEmpty, $"{paths.Overlay} is not a directory of ours.");
    }

    /// <summary>Removes what an interrupted attempt left, and refuses to remove anything else.</summary>
    private static void ClearUnfinished(VolumePaths paths)
    {
        // Looked at again under the lock: another process may have completed it just now.
        if (VolumeFiles.Exists(paths.Config))
            throw new VolumeException(VolumeError.AlreadyAVolume, $"{paths.Root} is an Overlay volume already.");
        string[] names = Directory.EnumerateFileSystemEntries(paths.Overlay).Select(entry => Path.GetFileName(entry)).ToArray();
        if (names.FirstOrDefault(name => !IsOurs(name)) is string foreign)
            throw new VolumeException(VolumeError.NotEmpty, $"{paths.Overlay} holds {foreign}, which is not ours.");
        bool begun = VolumeFiles.Exists(paths.UnfinishedConfig);
        if (!begun && names.Contains(VolumePaths.StoreName))
        {
            throw new VolumeException(VolumeError.ConfigDamaged,
                $"{paths.Overlay} has a store but no config.json; restore that, or remove the store to lose its files.");
        }
        if (VolumeConfig.TryLoadUnfinished(paths) is VolumeConfig unfinished)
            RemoveStoreOf(unfinished, paths.Store(unfinished));
        foreach (string name in new[] { VolumePaths.LocksName, VolumePaths.CoherenceName })
            VolumeFiles.RemoveIfThere(Path.Combine(paths.Overlay, name));
        VolumeFiles.RemoveIfThere(paths.UnfinishedConfig);
    }

    private static bool IsOurs(string name) =>
        s_ownNames.Contains(name) || name.StartsWith(VolumePaths.StoreName, StringComparison.Ordinal);

    private static void RemoveStoreOf(VolumeConfig unfinished, string path)
    {
        MetadataStore.Remove(path + VolumePaths.UnfinishedSuffix);
        if (!VolumeFiles.Exists(path))
            return;
        using (MetadataStore store = MetadataStore.Open(path))
        {
            if (!store.Volume.Id.Span.SequenceEqual(unfinished.VolumeId))
                throw new VolumeException(VolumeError.StoreExists, $"{path} is the store of another volume.");
        }
        MetadataStore.Remove(path);
    }

    private static string ChooseStore(VolumePaths paths, VolumeOptions options)
    {
        if (options.StorePath is null)
            return VolumePaths.StoreName;
        string path = Path.GetFullPath(options.StorePath);
        bool insideVolume = path.StartsWith(paths.Root + "/", StringComparison.Ordinal);
        if (insideVolume)
            throw new VolumeException(VolumeError.BadOption, $"The store {path} would lie among the volume's files.");
        if (VolumeFiles.Exists(path))
            throw new VolumeException(VolumeError.StoreExists, $"{path} exists already.");
        _ = VolumeFiles.TryMakeDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    private static void CreateStore(string path, byte[] volumeId, KeySecret secret, VolumeOptions options)
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        VolumeRow volume = new(
            volumeId, VolumeConfig.Format, options.Suite, options.Compress, options.BlockSizeLog2, now, FirstKeyVersion);
        PassphraseCost? cost =
            secret.Kind == SlotKind.Passphrase ? options.PassphraseCost ?? PassphraseCost.Calibrate() : null;
        using SecretMemory volumeKey = new(SlotSealing.KeySize);
        NonceSource.Fill(volumeKey.Bytes);
        KeyVersionRow version = new(
            FirstKeyVersion, KeyVersionState.Current, now, SlotSealing.CheckValue(volumeKey.Bytes, volumeId));
        KeySlotRow slot = SlotSealing.Seal(secret, cost, volume, volumeKey.Bytes, options.SlotLabel);
        MetadataStore.Create(path, store =>
        {
            VolumeTables.Insert(store, version);
            VolumeTables.Insert(store, volume);
            VolumeTables.Insert(store, slot);
        });
    }
}
