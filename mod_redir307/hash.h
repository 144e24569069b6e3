/* SPDX-License-Identifier: Apache-2.0 */
/* How keys become hashes: one definition for the writer and the reader. XXH3 is a library; nothing here is clever. */
#ifndef MOD_REDIR307_HASH_H
#define MOD_REDIR307_HASH_H

#include "mod_redir307/slice.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdint.h>

/* Odd constants of splitmix64: multiplication by them spreads every bit upwards. */
#define HASH_MULTIPLIER 0x9e3779b97f4a7c15u
#define HASH_MULTIPLIER2 0xbf58476d1ce4e5b9u

static inline uint64_t hash_mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * HASH_MULTIPLIER2;
    return value ^ (value >> 27);
}

static inline uint64_t hash_bytes(struct slice bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.data, bytes.size, seed);
}

/* 128 bits, low half first, as digests stand in the file. */
static inline void hash_put_digest(XXH128_hash_t hash, uint8_t digest[16])
{
    memcpy(digest, &hash.low64, 8);
    memcpy(digest + 8, &hash.high64, 8);
}

static inline uint64_t hash_scope(uint64_t seed, uint32_t scope)
{
    return seed ^ (scope * HASH_MULTIPLIER);
}

/* A path, or a path's first segments, within a scope. */
static inline uint64_t hash_path(struct slice path, uint64_t seed, uint32_t scope)
{
    return hash_bytes(path, hash_scope(seed, scope));
}

static inline uint64_t hash_host(struct slice name, unsigned kind, unsigned port, uint64_t seed)
{
    return hash_bytes(name, seed ^ ((uint64_t)(kind << 16 | port) * HASH_MULTIPLIER2));
}

/* The key of a shape: starts from its lead, then takes each further fixed part in order. */
static inline uint64_t hash_shape_start(uint64_t lead, uint32_t shape)
{
    return hash_mix(lead + (shape + 1) * HASH_MULTIPLIER);
}

static inline uint64_t hash_shape_add(uint64_t key, uint64_t part)
{
    return hash_mix((key ^ part) * HASH_MULTIPLIER + part);
}

static inline uint64_t hash_parameter(uint64_t name, uint64_t value)
{
    return hash_mix(name * HASH_MULTIPLIER + value);
}

/* ---- where a key may live in an index of `line_count` 64-byte lines ---- */
static inline uint64_t hash_reduce(uint64_t hash, uint64_t count)
{
    return (uint64_t)(((unsigned __int128)hash * count) >> 64);
}
static inline uint64_t hash_home(uint64_t key, uint64_t line_count)
{
    return hash_reduce(key, line_count);
}
static inline uint64_t hash_alternate(uint64_t key, uint64_t line_count)
{
    return hash_reduce(key * HASH_MULTIPLIER + HASH_MULTIPLIER2, line_count);
}
static inline uint16_t hash_fingerprint(uint64_t key)
{
    uint16_t low = (uint16_t)key;
    return low ? low : 1;
}
static inline uint16_t hash_overflow_bit(uint64_t key)
{
    return (uint16_t)(1u << (key >> 16 & 15));
}

/* ---- the ancestor bitmap: two bits for "rules start here", two for "the fixed part goes on below" ---- */
static inline uint64_t hash_word(uint64_t path, uint64_t word_count)
{
    return hash_reduce(hash_mix(path), word_count);
}
static inline uint64_t hash_here_bits(uint64_t path)
{
    return 1ull << (path & 63) | 1ull << (path >> 6 & 63);
}
static inline uint64_t hash_below_bits(uint64_t path)
{
    return 1ull << (path >> 12 & 63) | 1ull << (path >> 18 & 63);
}

#endif
