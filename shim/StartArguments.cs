using System.Runtime.InteropServices;
using Overlay.Crypto;
using Overlay.Engine;
using Overlay.Files;

namespace Overlay.Shim;

/// <summary><c>struct overlay_engine_start</c> of shim/native/engine.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct StartArguments
{
    internal byte* Volumes;
    internal byte* Agent;
    internal byte* KeyFile;
    internal byte* LibraryPath;
    internal delegate* unmanaged<byte*, byte*, byte*, long> StartAgent;
    internal delegate* unmanaged<int, int, void> ReserveDescriptor;
    internal RuntimeThreads.Hooks* Threads;
    internal delegate* unmanaged<long*, int, void> NoteMappings;
    internal int* Kept;
    internal long KeptCount;
    internal int* ForkCount;
    internal int* HasLocks;
    internal int* LimitChanges;
    internal RecentFile.Shown* Recent;
    internal delegate* unmanaged<LazyPublisher.Note*, int, void> NoteLazy;
    internal delegate* unmanaged<int> BeginLazy;
    internal int* HasFilter;
    internal uint* MemoryGeneration;
    internal byte* CacheSize;
    internal CacheTable* Cache;
    internal CachedFileData** CachedFiles;
    internal long DescriptorLimit;
    internal ProcessCounters** Counters;
    internal NativeHelper.Calls* Helper;
}
