using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using Overlay.Crypto;
using Overlay.Ctl.Keys;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Metrics;

/// <summary>How many keys the volumes have, and how near to their limits they come. It takes a pass over the store, so not each time.</summary>
internal sealed class VolumeKeys(IEnumerable<UnlockedVolume> volumes)
{
    private static readonly TimeSpan s_goodFor = TimeSpan.FromMinutes(1);

    private readonly List<(string Root, string Id)> _volumes = [.. volumes.Select(volume => (volume.Root, Convert.ToHexStringLower(volume.VolumeId.Span)))];
    private readonly List<(string Id, StoreInventory.Group Group)> _groups = [];
    private Stopwatch? _age;

    internal void Write(MetricsText text)
    {
        if (_age is null || _age.Elapsed > s_goodFor)
            Refresh();
        text.Gauge("overlay_volume_file_keys", "Keys of files in the store; as it was up to a minute ago, like the next two.");
        foreach (var keys in _groups.GroupBy(item => (item.Id, item.Group.State)))
            text.Sample(keys.Sum(item => item.Group.Count), ("volume", keys.Key.Id), ("state", InventoryCommand.StateOf(keys.Key.State).Replace(' ', '_')));
        text.Gauge("overlay_volume_key_seals_max", "How often the most used key of a file has sealed, as far as programs told.");
        foreach (var keys in _groups.GroupBy(item => (item.Id, item.Group.Suite)))
            text.Sample(keys.Max(item => item.Group.MostSeals), ("volume", keys.Key.Id), ("cipher", keys.Key.Suite.Name()));
        text.Gauge("overlay_volume_key_seals_limit", "How often a key of a file may seal.");
        foreach (var keys in _groups.GroupBy(item => (item.Id, item.Group.Suite)))
            text.Sample(SealLimit.Of(keys.Key.Suite), ("volume", keys.Key.Id), ("cipher", keys.Key.Suite.Name()));
    }

    /// <summary>By a connection of its own: the agent's is the agent's thread's.</summary>
    private void Refresh()
    {
        _groups.Clear();
        foreach ((string root, string id) in _volumes)
        {
            using MetadataStore store = VolumeUnlocker.OpenStore(root);
            _groups.AddRange(StoreInventory.ReadGroups(store.Connection).Select(group => (id, group)));
        }
        _age = Stopwatch.StartNew();
    }
}
