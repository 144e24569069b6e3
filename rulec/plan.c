/* SPDX-License-Identifier: Apache-2.0 */
/* Grows the arrays of a plan and finds equal actions and sites. An item is looked up by its
 * key: all that it means, written one after the other into one row of bytes, so equal bytes
 * are equal items. */
#include "config.h"

#include "rulec/plan.h"

#include "rulec/bytes.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <assert.h>
#include <stdlib.h>

/* Open addressing; a slot holds the item's number + 1, 0 is empty. Never more than half
 * full. */
struct index {
    uint32_t *slots;
    uint32_t slot_count; /* a power of two */
    uint32_t item_count;
    struct slice *keys; /* of each item, in the arena */
    uint32_t key_room;
};

struct plan_tables {
    uint32_t site_room, action_room, rule_room, zone_room, note_room, expect_room;
    struct index sites, actions, zones;
    struct bytes key; /* the one being written */
};

/* Room for one item more. */
static void *grow(void *items, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return items;
    *room = *room ? *room * 2 : 16;
    return memory_resize(items, *room, size);
}

/* ---- keys ---- */

static void put_slices(struct bytes *key, const struct slice *texts, uint32_t count)
{
    bytes_put_u32(key, count);
    for (uint32_t i = 0; i < count; i++)
        bytes_put_slice32(key, texts[i]);
}

static void put_site(struct bytes *key, const struct plan_site *site)
{
    key->size = 0;
    for (uint32_t i = 0; i < site->host_count; i++) {
        const struct plan_host *host = &site->hosts[i];

        bytes_put_u32(key, host->kind);
        bytes_put_slice32(key, host->name);
        bytes_put_u32(key, host->port);
        bytes_put_u32(key, host->capture_count);
        for (uint32_t c = 0; c < host->capture_count; c++) {
            bytes_put_slice32(key, host->captures[c].name);
            bytes_put_slice32(key, host->captures[c].value);
        }
    }
}

static void put_condition(struct bytes *key, const struct plan_condition *condition)
{
    bytes_put_u32(key, condition->kind);
    bytes_put_u32(key, condition->is_unless);
    bytes_put_u32(key, condition->operator);
    bytes_put_slice32(key, condition->name);
    put_slices(key, condition->values, condition->value_count);
    bytes_put_u32(key, condition->network_count);
    for (uint32_t i = 0; i < condition->network_count; i++) {
        const struct plan_network *network = &condition->networks[i];

        bytes_put_u32(key, network->family);
        bytes_put_u32(key, network->prefix);
        bytes_put(key, network->address, sizeof(network->address));
    }
    bytes_put_u32(key, condition->share);
    bytes_put(key, &condition->from_s, sizeof(condition->from_s));
    bytes_put(key, &condition->until_s, sizeof(condition->until_s));
    bytes_put_u32(key, condition->zone);
    bytes_put_u32(key, condition->days);
    bytes_put_u32(key, condition->start_s);
    bytes_put_u32(key, condition->end_s);
}

static void put_action(struct bytes *key, const struct plan_action *action)
{
    key->size = 0;
    bytes_put_u32(key, action->site);
    bytes_put_u32(key, (action->is_override ? 1U : 0U) | (action->is_pass ? 2U : 0U) |
                           (action->redirects_preflight ? 4U : 0U));
    bytes_put_u32(key, action->status_get);
    bytes_put_u32(key, action->status_other);
    bytes_put_u32(key, action->cache);
    bytes_put_u32(key, action->cache_seconds);
    bytes_put_u32(key, action->query.kind);
    put_slices(key, action->query.names, action->query.name_count);
    bytes_put_u32(key, action->condition_count);
    for (uint32_t i = 0; i < action->condition_count; i++)
        put_condition(key, &action->conditions[i]);
    bytes_put_u32(key, action->header_count);
    for (uint32_t i = 0; i < action->header_count; i++) {
        bytes_put_slice32(key, action->headers[i].name);
        bytes_put_slice32(key, action->headers[i].value);
    }
    put_slices(key, action->vary, action->vary_count);
}

/* ---- finding equal items ---- */

static uint32_t *slot_of(const struct index *index, struct slice key)
{
    uint32_t mask = index->slot_count - 1;
    uint32_t at = (uint32_t)XXH3_64bits(key.data, key.size) & mask;

    while (index->slots[at] && !slice_equal(index->keys[index->slots[at] - 1], key))
        at = (at + 1) & mask;
    return &index->slots[at];
}

static void widen(struct index *index)
{
    if (index->item_count * 2 < index->slot_count)
        return;
    index->slot_count = index->slot_count ? index->slot_count * 2 : 64;
    index->slots = memory_resize(index->slots, index->slot_count, sizeof(*index->slots));
    memset(index->slots, 0, index->slot_count * sizeof(*index->slots));
    for (uint32_t i = 0; i < index->item_count; i++)
        *slot_of(index, index->keys[i]) = i + 1;
}

/* The number of the item whose key was written last; *is_new where there was none and the
 * caller has to append it. */
static uint32_t intern(struct plan *plan, struct index *index, bool *is_new)
{
    struct slice key = slice_of((const char *)plan->tables->key.data, plan->tables->key.size);

    widen(index);
    uint32_t *slot = slot_of(index, key);
    *is_new = *slot == 0;
    if (*is_new) {
        index->keys =
            grow(index->keys, index->item_count, &index->key_room, sizeof(*index->keys));
        index->keys[index->item_count] = arena_copy(plan->arena, key);
        *slot = ++index->item_count;
    }
    return *slot - 1;
}

uint32_t plan_intern_action(struct plan *plan, const struct plan_action *action)
{
    bool is_new;

    put_action(&plan->tables->key, action);
    uint32_t number = intern(plan, &plan->tables->actions, &is_new);
    if (is_new) {
        plan->actions = grow(plan->actions, plan->action_count, &plan->tables->action_room,
                             sizeof(*plan->actions));
        plan->actions[plan->action_count++] = *action;
    }
    return number;
}

uint32_t plan_intern_site(struct plan *plan, const struct plan_site *site)
{
    bool is_new;

    put_site(&plan->tables->key, site);
    uint32_t number = intern(plan, &plan->tables->sites, &is_new);
    if (is_new) {
        plan->sites =
            grow(plan->sites, plan->site_count, &plan->tables->site_room, sizeof(*plan->sites));
        plan->sites[plan->site_count++] = *site;
    }
    return number;
}

uint32_t plan_intern_zone(struct plan *plan, struct slice name, bool *is_new)
{
    plan->tables->key.size = 0;
    bytes_put_slice32(&plan->tables->key, name);
    uint32_t number = intern(plan, &plan->tables->zones, is_new);
    if (*is_new) {
        plan->zones =
            grow(plan->zones, plan->zone_count, &plan->tables->zone_room, sizeof(*plan->zones));
        plan->zones[plan->zone_count++] = (struct plan_zone){ .name = name };
    }
    return number;
}

bool plan_conditions_equal(const struct plan *plan, const struct plan_condition *a,
                           const struct plan_condition *b)
{
    struct bytes *key = &plan->tables->key;

    key->size = 0;
    put_condition(key, a);
    size_t size = key->size;
    put_condition(key, b);
    return key->size == size * 2 && memcmp(key->data, key->data + size, size) == 0;
}

void plan_reserve_rules(struct plan *plan, uint32_t count)
{
    if (count <= plan->tables->rule_room - plan->rule_count ||
        count > UINT32_MAX - plan->rule_count)
        return;
    plan->tables->rule_room = plan->rule_count + count;
    plan->rules = memory_resize(plan->rules, plan->tables->rule_room, sizeof(*plan->rules));
}

void plan_add_rule(struct plan *plan, const struct plan_rule_parts *parts)
{
    struct plan_more *more = NULL;

    assert(parts->path.size <= UINT16_MAX && parts->target.size <= UINT16_MAX);
    if (parts->pattern || parts->template || parts->choice) {
        more = arena_alloc(plan->arena, sizeof(*more));
        *more = (struct plan_more){ parts->pattern, parts->template, parts->choice };
    }
    plan->rules =
        grow(plan->rules, plan->rule_count, &plan->tables->rule_room, sizeof(*plan->rules));
    plan->rules[plan->rule_count++] = (struct plan_rule){ .path_data = parts->path.data,
                                                          .path_size = (uint16_t)parts->path.size,
                                                          .target_data = parts->target.data,
                                                          .target_size = (uint16_t)parts->target.size,
                                                          .more = more,
                                                          .action = parts->action,
                                                          .flags = parts->flags,
                                                          .span = parts->span,
                                                          .target_at = parts->target_at };
}

void plan_add_note(struct plan *plan, uint32_t rule, struct slice note, struct slice owner)
{
    plan->notes =
        grow(plan->notes, plan->note_count, &plan->tables->note_room, sizeof(*plan->notes));
    plan->notes[plan->note_count++] =
        (struct plan_note){ .rule = rule, .note = note, .owner = owner };
}

struct plan_expect *plan_add_expect(struct plan *plan, const struct plan_expect *expect)
{
    plan->expects = grow(plan->expects, plan->expect_count, &plan->tables->expect_room,
                         sizeof(*plan->expects));
    plan->expects[plan->expect_count] = *expect;
    return &plan->expects[plan->expect_count++];
}

struct plan *plan_open(struct arena *arena, struct source_set *sources)
{
    struct plan *plan = arena_alloc(arena, sizeof(*plan));
    struct plan_host *any = arena_alloc(arena, sizeof(*any));

    plan->arena = arena;
    plan->sources = sources;
    plan->tables = arena_alloc(arena, sizeof(*plan->tables));
    any->kind = PLAN_HOST_ANY;
    plan_intern_site(plan, &(struct plan_site){ .hosts = any, .host_count = 1 });
    return plan;
}

void plan_close(struct plan *plan)
{
    if (!plan)
        return;
    free(plan->sites);
    free(plan->actions);
    free(plan->rules);
    free(plan->zones);
    free(plan->notes);
    free(plan->expects);
    free(plan->tables->sites.slots);
    free(plan->tables->sites.keys);
    free(plan->tables->actions.slots);
    free(plan->tables->actions.keys);
    free(plan->tables->zones.slots);
    free(plan->tables->zones.keys);
    bytes_free(&plan->tables->key);
}
